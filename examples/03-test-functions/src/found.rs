//! The critical points of a function that were found.

use std::fmt::Write as _;

use landscape::critical::{CriticalKind, CriticalPoint};
use landscape::test_functions::TestFunction;

/// Two ends of searches are one point within this distance: searches end within rounding.
const APART: f64 = 1e-6;

/// A critical point.
pub(crate) struct Known {
    pub(crate) at: [f64; 2],
    pub(crate) kind: CriticalKind,
    loss: f64,
    eigenvalues: [f64; 2],
}

/// The critical points of one function in a square.
pub(crate) struct Found {
    side: f64,
    pub(crate) points: Vec<Known>,
}

impl Found {
    /// Begins with none, in the square `[-side, side]²`.
    pub(crate) const fn within(side: f64) -> Self {
        Self {
            side,
            points: Vec::new(),
        }
    }

    /// Returns whether a point lies in the square and is not among those found.
    pub(crate) fn is_new(&self, at: [f64; 2]) -> bool {
        let is_inside = at.iter().all(|x| x.abs() <= self.side);
        let is_known = |known: &Known| {
            let distance = (known.at[0] - at[0]).hypot(known.at[1] - at[1]);
            distance < APART
        };
        is_inside && !self.points.iter().any(is_known)
    }

    /// Adds a point.
    pub(crate) fn add(&mut self, at: [f64; 2], point: &CriticalPoint) {
        self.points.push(Known {
            at,
            kind: point.kind,
            loss: point.loss,
            eigenvalues: [point.min.value, point.max.value],
        });
    }

    /// Returns how many points are of a kind.
    fn count(&self, kind: CriticalKind) -> usize {
        self.points
            .iter()
            .filter(|known| known.kind == kind)
            .count()
    }

    /// Returns the table of the points with the least values, and the numbers of all kinds.
    pub(crate) fn lines(&self, function: TestFunction) -> String {
        let mut lines = format!(
            "{function}: {}\n  {} minima, {} maxima, {} saddles\n",
            function.formula(),
            self.count(CriticalKind::LocalMinimum),
            self.count(CriticalKind::LocalMaximum),
            self.count(CriticalKind::Saddle),
        );
        let mut sorted: Vec<&Known> = self.points.iter().collect();
        sorted.sort_by(|a, b| a.loss.total_cmp(&b.loss));
        for known in sorted.iter().take(5) {
            let [x, y] = known.at;
            let [least, largest] = known.eigenvalues;
            let _ = writeln!(
                lines,
                "  ({:8.5}, {:8.5})  f = {:9.6}  eigenvalues {least:9.3} and {largest:9.3}  {}",
                x + 0.0,
                y + 0.0,
                known.loss,
                known.kind
            );
        }
        if sorted.len() > 5 {
            let _ = writeln!(lines, "  and {} more above", sorted.len() - 5);
        }
        lines
    }
}
