//! Probes at work: which of them, how far it is, and the time that it has left.

use std::time::{Duration, Instant};

use super::forecast::duration;
use super::output::printable;

/// Probes at work.
pub(super) struct Probing {
    pub(super) step: u64,
    pub(super) began: Instant,
    /// Name, number from 1 and how many there are.
    pub(super) probe: Option<(String, usize, usize)>,
    /// Done, of how many if it is known, and the word for them.
    pub(super) work: Option<(usize, Option<usize>, &'static str)>,
    /// How much was done when the first of it was told, and when that was.
    pub(super) pace: Option<(usize, Instant)>,
}

impl Probing {
    /// Returns "probes at the end: 3 of 7, spectral density, 120 of 200 products"; without a name,
    /// the time so far.
    pub(super) fn say(&self, place: Option<&str>, elapsed: Duration) -> String {
        let mut parts = Vec::new();
        match &self.probe {
            Some((name, number, count)) => {
                parts.push(format!("{number} of {count}"));
                parts.push(printable(name).into_owned());
            }
            None => parts.push(format!("{} so far", duration(elapsed))),
        }
        parts.extend(self.work.map(|(done, of, what)| match of {
            Some(of) => format!("{done} of {of} {what}"),
            None => format!("{done} {what}"),
        }));
        parts.extend(self.left().map(|left| format!("{} left", duration(left))));
        let said = parts.join(", ");
        match place {
            Some(place) => format!("{place}: {said}"),
            None => said,
        }
    }

    /// Returns the time that the work has left at its pace so far, once that has been seen for a
    /// second. What was done before, by an earlier sitting say, is no part of the pace.
    fn left(&self) -> Option<Duration> {
        let (done, of, _) = self.work?;
        let (from, since) = self.pace?;
        let took = since.elapsed().as_secs_f64();
        let here = done.checked_sub(from).filter(|here| *here > 0)?;
        let rest = of?.checked_sub(done).filter(|rest| *rest > 0)?;
        (took >= 1.0).then(|| Duration::from_secs_f64(took * rest as f64 / here as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probing(
        probe: Option<(&str, usize, usize)>,
        work: Option<(usize, Option<usize>)>,
    ) -> Probing {
        Probing {
            step: 7,
            began: Instant::now(),
            probe: probe.map(|(name, number, count)| (name.to_owned(), number, count)),
            work: work.map(|(done, of)| (done, of, "products")),
            pace: None,
        }
    }

    #[test]
    fn time_left_is_that_of_the_pace_of_this_sitting() {
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds));
        let Some(since) = ago(10) else {
            return; // The machine was started a moment ago.
        };
        let mut state = probing(Some(("loss surface", 1, 1)), Some((150, Some(200))));
        // 50 of them in 10 s, and 50 more: 100 were there before.
        state.pace = Some((100, since));
        let elapsed = Duration::from_secs(10);
        let said = "1 of 1, loss surface, 150 of 200 products, 10 s left";
        assert_eq!(state.say(None, elapsed), said);
        state.pace = Some((150, since));
        assert_eq!(state.left(), None);
    }

    #[test]
    fn probe_is_named_with_its_number_and_how_far_it_is() {
        let elapsed = Duration::from_secs(12);
        let place = Some("probes at the end");
        let density = Some(("spectral density", 3, 7));
        for (state, said) in [
            (
                probing(density, Some((120, Some(200)))),
                "probes at the end: 3 of 7, spectral density, 120 of 200 products",
            ),
            (
                probing(density, Some((120, None))),
                "probes at the end: 3 of 7, spectral density, 120 products",
            ),
            (
                probing(density, None),
                "probes at the end: 3 of 7, spectral density",
            ),
            (probing(None, None), "probes at the end: 12 s so far"),
        ] {
            assert_eq!(state.say(place, elapsed), said);
        }
    }
}
