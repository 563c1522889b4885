//! The points of one scalar, in bounded memory.

use serde::{Deserialize, Serialize};

use super::number::Number;

/// Points that are kept, at most. Beyond it every second one is dropped, and from then on only
/// every second one is taken in: the points stay evenly spread over the run.
const KEPT: usize = 256;

/// The points of a scalar.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Series {
    points: Vec<(u64, Number)>,
    last: Option<(u64, Number)>,
    /// The number of points that arrived.
    count: u64,
    /// Every so many points one is kept.
    stride: u64,
    /// The first point that is not finite.
    not_finite: Option<(u64, Number)>,
    /// The highest finite point.
    highest: Option<(u64, Number)>,
}

impl Series {
    /// Takes a point in. One whose step does not come after the last one says that the run was
    /// taken up again at an earlier step: what was there from that step on is dropped.
    pub(crate) fn push(&mut self, step: u64, value: f64) {
        if self.last.is_some_and(|(last, _)| step <= last) {
            self.rewind(step);
        }
        let point = (step, Number(value));
        self.stride = self.stride.max(1);
        if self.count.is_multiple_of(self.stride) {
            self.points.push(point);
        }
        if self.points.len() > KEPT {
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.stride *= 2;
        }
        self.count += 1;
        self.last = Some(point);
        if !value.is_finite() {
            self.not_finite.get_or_insert(point);
        } else if self.highest.is_none_or(|(_, highest)| value > highest.0) {
            self.highest = Some(point);
        }
    }

    fn rewind(&mut self, step: u64) {
        let before = |point: &(u64, Number)| point.0 < step;
        self.points.retain(before);
        self.last = self.points.last().copied();
        self.count = self.points.len() as u64 * self.stride.max(1);
        self.not_finite = self.not_finite.filter(before);
        let finite = |point: &&(u64, Number)| point.1.0.is_finite();
        let kept = self.points.iter().copied();
        self.highest = self.highest.filter(before).or_else(|| {
            kept.filter(|point| finite(&point))
                .max_by(|a, b| a.1.0.total_cmp(&b.1.0))
        });
    }

    /// Returns the points that were kept, the last one among them, in the order of their steps.
    pub(crate) fn points(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        let last = self.last.filter(|last| self.points.last() != Some(last));
        let all = self.points.iter().copied().chain(last);
        all.map(|(step, value)| (step, value.0))
    }

    /// Returns the finite ones among the points that were kept.
    pub(crate) fn finite(&self) -> Vec<(u64, f64)> {
        self.points()
            .filter(|(_, value)| value.is_finite())
            .collect()
    }

    /// Returns the first point.
    pub(crate) fn first(&self) -> Option<(u64, f64)> {
        self.points().next()
    }

    /// Returns the last point.
    pub(crate) fn last(&self) -> Option<(u64, f64)> {
        self.last.map(|(step, value)| (step, value.0))
    }

    /// Returns the highest finite point of all that arrived.
    pub(crate) fn highest(&self) -> Option<(u64, f64)> {
        self.highest.map(|(step, value)| (step, value.0))
    }

    /// Returns the first point that is not finite, of all that arrived.
    pub(crate) fn not_finite(&self) -> Option<(u64, f64)> {
        self.not_finite.map(|(step, value)| (step, value.0))
    }
}
