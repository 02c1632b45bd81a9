import { all, type Search, SHARED } from "../view/view";

/** Between pages, when and how one looks stays; filters and splits do not, as fields differ. */
export function keepView(search: Search): Search {
  return Object.fromEntries(SHARED.flatMap((name) => (all(search, name).length > 0 ? [[name, search[name]!]] : [])));
}
