//! Which measurements a budget allows now, and how long each may take.

use crate::cost::Cost;

/// Divides `available` seconds: what each request gets, or `None` for one that has to wait.
///
/// The cheapest requests come first, each with its least. What is left over is shared in proportion to what each could still use, up to the part
/// `stretch` of the way from its least to its full cost.
pub(crate) fn allot(available: f64, requests: &[Cost], stretch: f64) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by(|&i, &j| requests[i].least.total_cmp(&requests[j].least));
    let mut given = vec![None; requests.len()];
    let mut left = available;
    for index in order {
        if requests[index].least <= left {
            left -= requests[index].least;
            given[index] = Some(requests[index].least);
        }
    }
    let use_of = |cost: &Cost| (cost.full - cost.least).max(0.0) * stretch;
    let wanted: f64 = requests
        .iter()
        .zip(&given)
        .filter(|(_, given)| given.is_some())
        .map(|(cost, _)| use_of(cost))
        .sum();
    if wanted > 0.0 {
        let part = (left / wanted).clamp(0.0, 1.0);
        for (cost, given) in requests.iter().zip(&mut given) {
            if let Some(given) = given {
                *given += part * use_of(cost);
            }
        }
    }
    given
}

/// What a run can afford, planned once its pace is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Seconds of probes that the whole run allows; 0 where its length is not known.
    pub(crate) supply: f64,
    /// How far above its least a measurement may go while others are to come, 0 to 1.
    pub(crate) stretch: f64,
    /// Seconds kept for the measurements of the last step.
    pub(crate) at_end: f64,
}

/// Seconds that may be spent before they were saved up, at most, and as a part of the run's supply.
const MOST_CREDIT: f64 = 1.0;
const CREDIT: f64 = 0.25;

/// Trials of the risks take some gradients over few examples: no more than so many steps of training.
const TRIAL: f64 = 5.0;

/// Whether a run can afford the trials that a plan needs: `saved` seconds so far, `supply` seconds in all if the run's length is known, `step` seconds each step.
pub(crate) fn affords_trial(saved: f64, supply: Option<f64>, step: f64) -> bool {
    saved + credit(supply.unwrap_or(0.0)) >= TRIAL * step
}

/// What may be spent of a supply before it was saved up.
fn credit(supply: f64) -> f64 {
    (CREDIT * supply).min(MOST_CREDIT)
}

impl Plan {
    /// Seconds that may be spent when the part `progress` of the run is done, `saved` being what the training so far has allowed and nobody has spent.
    pub(crate) fn available(&self, saved: f64, progress: f64) -> f64 {
        let credit = credit(self.supply) * (1.0 - progress);
        let kept = if progress < 1.0 {
            progress * self.at_end
        } else {
            0.0
        };
        saved + credit - kept
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_is_measured_and_the_rest_waits() {
        let requests = [
            Cost {
                least: 2.0,
                full: 10.0,
            },
            Cost::fixed(1.0),
            Cost::fixed(7.0),
        ];
        // The two cheapest take 3 of 5 seconds; the first could use all that is left.
        assert_eq!(allot(5.0, &requests, 1.0), [Some(4.0), Some(1.0), None]);
        assert_eq!(allot(5.0, &requests, 0.125), [Some(3.0), Some(1.0), None]);
        assert_eq!(allot(0.5, &requests, 1.0), [None, None, None]);
        assert_eq!(
            allot(100.0, &requests, 1.0),
            [Some(10.0), Some(1.0), Some(7.0)]
        );
    }

    #[test]
    fn credit_is_paid_back_and_the_end_is_provided_for() {
        let plan = Plan {
            supply: 2.0,
            stretch: 1.0,
            at_end: 1.2,
        };
        assert_eq!(plan.available(0.0, 0.0), 0.5);
        assert_eq!(plan.available(1.0, 0.5), 1.0 + 0.25 - 0.6);
        assert_eq!(plan.available(1.2, 1.0), 1.2);
    }

    #[test]
    fn a_trial_waits_until_it_is_saved_up_or_the_run_is_long_enough() {
        assert!(!affords_trial(0.4, None, 0.1) && affords_trial(0.5, None, 0.1));
        assert!(affords_trial(0.0, Some(2.0), 0.1) && !affords_trial(0.0, Some(1.9), 0.1));
        assert!(!affords_trial(0.0, Some(1e3), 0.3));
    }

    proptest! {
        #[test]
        fn no_more_is_given_than_there_is(available in -1.0_f64..10.0, stretch in 0.0_f64..1.0, costs in prop::collection::vec((0.0_f64..5.0, 0.0_f64..5.0), 0..6)) {
            let requests: Vec<Cost> = costs.iter().map(|(least, more)| Cost { least: *least, full: least + more }).collect();
            let given = allot(available, &requests, stretch);
            let sum: f64 = given.iter().flatten().sum();
            prop_assert!(sum <= available.max(0.0) + 1e-12);
            for (cost, given) in requests.iter().zip(given) {
                if let Some(given) = given {
                    prop_assert!(cost.least <= given && given <= cost.full + 1e-12);
                }
            }
        }
    }
}
