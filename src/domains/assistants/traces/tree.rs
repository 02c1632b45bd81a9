//! A trace as a tree: who called whom, how long each span worked itself, and what the trace waited for. Pure.

use std::cmp::Reverse;
use std::collections::HashMap;

/// Where a span is in a trace; times in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub id: &'a str,
    /// Empty for a root.
    pub parent: &'a str,
    pub start: i64,
    /// `None` when it is not known.
    pub end: Option<i64>,
}

/// A span in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Which of the spans it is.
    pub index: usize,
    /// Spans above it.
    pub depth: usize,
    /// Whether it names a parent that is not in the trace, so that it stands at the top although it is no root.
    pub is_orphan: bool,
    /// How long it took without its children, microseconds; `None` when its end is not known.
    pub self_time: Option<i64>,
    /// How long the trace waited for this span itself, microseconds; adds up to the length of the first root.
    pub critical_time: i64,
}

/// The spans in the order of the tree: each before its children, children by their starts.
pub fn tree(spans: &[Place<'_>]) -> Vec<Node> {
    let links = Links::between(spans);
    let order = links.order();
    let ends = links.ends(&order);
    let critical = order.first().map(|(root, ..)| links.critical_times(*root, &ends)).unwrap_or_default();
    let node = |&(index, depth, is_orphan): &(usize, usize, bool)| Node {
        index,
        depth,
        is_orphan,
        self_time: links.self_time(index, &ends),
        critical_time: critical[index],
    };
    order.iter().map(node).collect()
}

struct Links<'s, 'a> {
    spans: &'s [Place<'a>],
    /// By index, in the order of their starts.
    children: Vec<Vec<usize>>,
    parents: Vec<Option<usize>>,
}

impl<'s, 'a> Links<'s, 'a> {
    fn between(spans: &'s [Place<'a>]) -> Self {
        let by_id: HashMap<&str, usize> = spans.iter().enumerate().map(|(index, span)| (span.id, index)).collect();
        let parent = |(index, span): (usize, &Place<'_>)| by_id.get(span.parent).copied().filter(|it| *it != index);
        let mut links = Self {
            spans,
            children: vec![Vec::new(); spans.len()],
            parents: spans.iter().enumerate().map(parent).collect(),
        };
        for (index, parent) in links.parents.iter().enumerate() {
            if let Some(parent) = parent {
                links.children[*parent].push(index);
            }
        }
        for children in &mut links.children {
            children.sort_by_key(|child| (spans[*child].start, spans[*child].id));
        }
        links
    }

    /// Every span once, with its depth and whether it is an orphan; real roots come first.
    fn order(&self) -> Vec<(usize, usize, bool)> {
        let is_orphan = |index: usize| !self.spans[index].parent.is_empty();
        let mut by_start: Vec<usize> = (0..self.spans.len()).collect();
        by_start.sort_by_key(|index| (is_orphan(*index), self.spans[*index].start, self.spans[*index].id));
        let tops = by_start.iter().filter(|index| self.parents[**index].is_none());
        let mut order = Vec::with_capacity(self.spans.len());
        let mut is_known = vec![false; self.spans.len()];
        // What no top leads to hangs in a circle, which is cut where it begins.
        for top in tops.chain(&by_start) {
            let mut waiting = vec![(*top, 0)];
            while let Some((index, depth)) = waiting.pop() {
                if std::mem::replace(&mut is_known[index], true) {
                    continue;
                }
                order.push((index, depth, depth == 0 && is_orphan(index)));
                waiting.extend(self.children[index].iter().rev().map(|child| (*child, depth + 1)));
            }
        }
        order
    }

    /// When each span ended; one whose end is not known, when the last below it did.
    fn ends(&self, order: &[(usize, usize, bool)]) -> Vec<i64> {
        let mut ends: Vec<i64> = self.spans.iter().map(|span| span.end.unwrap_or(span.start).max(span.start)).collect();
        for (index, ..) in order.iter().rev() {
            if self.spans[*index].end.is_none() {
                let last = self.children[*index].iter().map(|child| ends[*child]).max();
                ends[*index] = ends[*index].max(last.unwrap_or(i64::MIN));
            }
        }
        ends
    }

    /// The children of a span that lie within a window, cut to it.
    fn within(&self, index: usize, (from, until): (i64, i64), ends: &[i64]) -> Vec<(usize, i64, i64)> {
        let cut = |child: &usize| (*child, self.spans[*child].start.max(from), ends[*child].min(until));
        self.children[index].iter().map(cut).filter(|(_, start, end)| start < end).collect()
    }

    fn self_time(&self, index: usize, ends: &[i64]) -> Option<i64> {
        let (start, end) = (self.spans[index].start, self.spans[index].end?.max(self.spans[index].start));
        // Children come in the order of their starts.
        let (mut covered, mut reached) = (0, start);
        for (_, child_start, child_end) in self.within(index, (start, end), ends) {
            covered += (child_end - child_start.max(reached)).max(0);
            reached = reached.max(child_end);
        }
        Some(end - start - covered)
    }

    /// What a trace waited for, told backwards from its end: the child that ended last, before it the child that
    /// ended last before that one began, and so on; what is left is the span's own.
    fn critical_times(&self, root: usize, ends: &[i64]) -> Vec<i64> {
        let mut times = vec![0; self.spans.len()];
        let mut is_known = vec![false; self.spans.len()];
        let mut waiting = vec![(root, self.spans[root].start, ends[root])];
        while let Some((index, from, until)) = waiting.pop() {
            if std::mem::replace(&mut is_known[index], true) {
                continue;
            }
            let mut children = self.within(index, (from, until), ends);
            children.retain(|(child, ..)| !is_known[*child]);
            children.sort_by_key(|(_, start, end)| (Reverse(*end), *start));
            let mut cursor = until;
            for (child, child_start, child_end) in children {
                if child_end <= cursor {
                    times[index] += cursor - child_end;
                    waiting.push((child, child_start, child_end));
                    cursor = child_start;
                }
            }
            times[index] += cursor - from;
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place<'a>(id: &'a str, parent: &'a str, start: i64, end: impl Into<Option<i64>>) -> Place<'a> {
        Place { id, parent, start, end: end.into() }
    }

    fn named(spans: &[Place<'_>]) -> Vec<(String, usize, Option<i64>, i64)> {
        let told = |node: &Node| (spans[node.index].id.to_owned(), node.depth, node.self_time, node.critical_time);
        tree(spans).iter().map(told).collect()
    }

    #[test]
    fn a_trace_waits_for_what_ended_last_and_for_what_came_before_it() {
        let spans = [
            place("run", "", 0, 100),
            place("search", "run", 10, 40),
            place("chat", "run", 45, 95),
            place("log", "run", 20, 60),
            place("retry", "chat", 50, 90),
        ];
        let told = |id: &str, depth, self_time, critical| (id.to_owned(), depth, Some(self_time), critical);
        assert_eq!(
            named(&spans),
            [
                told("run", 0, 15, 20),
                told("search", 1, 30, 30),
                told("log", 1, 40, 0),
                told("chat", 1, 10, 10),
                told("retry", 2, 40, 40),
            ]
        );
    }

    #[test]
    fn a_span_without_an_end_lasts_as_long_as_what_is_below_it() {
        let spans = [place("run", "", 0, None), place("chat", "run", 10, 30)];
        assert_eq!(named(&spans), [("run".to_owned(), 0, None, 10), ("chat".to_owned(), 1, Some(20), 20)]);
    }

    #[test]
    fn spans_without_their_parent_and_circles_stand_at_the_top() {
        let spans = [place("b", "a", 5, 9), place("a", "b", 3, 9), place("lost", "gone", 1, 2), place("run", "", 4, 8)];
        let tops: Vec<(&str, usize, bool)> =
            tree(&spans).iter().map(|node| (spans[node.index].id, node.depth, node.is_orphan)).collect();
        assert_eq!(tops, [("run", 0, false), ("lost", 0, true), ("a", 0, true), ("b", 1, false)]);
        let own = [place("self", "self", 0, 1)];
        assert!(tree(&own)[0].is_orphan);
        assert!(tree(&[]).is_empty());
    }

    #[test]
    fn children_whose_clocks_are_wrong_are_cut_to_their_parents() {
        let spans = [place("run", "", 10, 20), place("early", "run", 0, 12), place("late", "run", 18, 99)];
        let told = named(&spans);
        assert_eq!(told[0], ("run".to_owned(), 0, Some(6), 6));
        assert_eq!(told.iter().map(|(.., critical)| critical).sum::<i64>(), 10);
    }

    proptest! {
        #[test]
        fn every_span_is_there_once_and_times_add_up(
            spans in prop::collection::vec((0usize..20, 0i64..60, 0i64..40, any::<bool>()), 1..20)
        ) {
            let ids: Vec<String> = (0..spans.len()).map(|index| index.to_string()).collect();
            let places: Vec<Place<'_>> = spans
                .iter()
                .enumerate()
                .map(|(index, (parent, start, length, is_ended))| Place {
                    id: &ids[index],
                    parent: ids.get(*parent).map_or("", String::as_str),
                    start: *start,
                    end: is_ended.then_some(start + length),
                })
                .collect();
            let nodes = tree(&places);
            let mut seen: Vec<usize> = nodes.iter().map(|node| node.index).collect();
            seen.sort_unstable();
            prop_assert!(seen.into_iter().eq(0..places.len()));
            for node in &nodes {
                // Microsecond by microsecond, who of the children was at work?
                let place = places[node.index];
                let below = |other: &&Node| {
                    places[other.index].parent == place.id && other.index != node.index
                };
                let children: Vec<&Node> = nodes.iter().filter(below).collect();
                let has_only_ended = children.iter().all(|child| places[child.index].end.is_some());
                if let (Some(end), true) = (place.end, has_only_ended) {
                    let is_covered = |at: &i64| children.iter().any(|child| {
                        let child = places[child.index];
                        child.start <= *at && *at < child.end.unwrap()
                    });
                    let own = (place.start..end).filter(|at| !is_covered(at)).count() as i64;
                    prop_assert_eq!(node.self_time, Some(own));
                }
                prop_assert!(node.critical_time >= 0);
            }
            let root = places[nodes[0].index];
            let waited: i64 = nodes.iter().map(|node| node.critical_time).sum();
            if let Some(end) = root.end {
                prop_assert_eq!(waited, end - root.start);
            }
        }
    }
}
