// The sender at work without an application: sends the events of standard input, one a line.
//
//   CHARTWELL_URL=http://127.0.0.1:8080 CHARTWELL_TOKEN=… node send.js < events.ndjson
//
// Prints what happens. What is not sent within CHARTWELL_PATIENCE_MS is left in the folder for the next time;
// CHARTWELL_SETTINGS are further settings of the sender, in JSON.

import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { BatchSender } from './batch-sender.js';

const {
  CHARTWELL_URL: url,
  CHARTWELL_TOKEN: token,
  CHARTWELL_FOLDER: folder = join(tmpdir(), 'chartwell-batch-sender'),
  CHARTWELL_PATIENCE_MS: patienceMs = '60000',
  CHARTWELL_SETTINGS: settings = '{}',
} = process.env;

const tell = (what) => console.log(JSON.stringify(what));

const sender = await BatchSender.open({
  url,
  token,
  folder,
  onRejected: (event, { code, detail }) => tell({ rejected: event, code, detail }),
  onDropped: (count, reason) => tell({ dropped: count, reason }),
  onRetry: (reason, waitMs) => tell({ retry: reason, waitMs }),
  ...JSON.parse(settings),
});
for await (const line of createInterface({ input: process.stdin })) {
  sender.capture(JSON.parse(line));
}
const enough = new AbortController();
await Promise.race([sender.flush(), pause(Number(patienceMs), undefined, { signal: enough.signal }).catch(() => {})]);
enough.abort();
tell({ left: await sender.close(10_000) });
