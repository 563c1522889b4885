//! Which measurements a budget allows now, and how long each may take.

use super::MeasuringCost;

/// Divides `available` seconds: what each request gets, or `None` for one that has to wait.
///
/// First comes first, each with its least: the probes that were added first are the ones that
/// matter most. What is left over is shared in proportion to what each could still use.
pub(crate) fn allot(available: f64, requests: &[MeasuringCost]) -> Vec<Option<f64>> {
    let mut left = available;
    let mut given: Vec<Option<f64>> = Vec::with_capacity(requests.len());
    for request in requests {
        let fits = request.least <= left;
        left -= if fits { request.least } else { 0.0 };
        given.push(fits.then_some(request.least));
    }
    let use_of = |cost: &MeasuringCost| (cost.full - cost.least).max(0.0);
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

/// Divides `supply` among `wants` so that none gets more than it wants, and what one does not want
/// goes to the others in equal parts.
pub(crate) fn fair(supply: f64, wants: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wants.len()).collect();
    order.sort_by(|&i, &j| wants[i].total_cmp(&wants[j]));
    let mut given = vec![0.0; wants.len()];
    let mut left = supply;
    for (done, &index) in order.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a number of probes")]
        let equal = left / (wants.len() - done) as f64;
        given[index] = wants[index].min(equal);
        left -= given[index];
    }
    given
}

/// The plan of what a run can afford, made once its pace is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    /// Seconds of probes that the whole run allows; 0 where its length is not known.
    pub(crate) supply: f64,
    /// The part of each probe.
    pub(crate) parts: Vec<Part>,
}

/// The part of the budget that one probe has.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Part {
    /// Its share of all that is saved up for probes; those that do not save for the end have
    /// together somewhat less than 1.
    pub(crate) share: f64,
    /// Seconds of all its measurements before the end, at most.
    pub(crate) most: f64,
    /// Seconds of one measurement, if all that it asks for are made.
    pub(crate) each: f64,
    /// The part holds one measurement only, which is that of the trained model then.
    pub(crate) saves_for_end: bool,
}

/// Divides `supply` among `demands`: what one measurement takes and what all do. First a
/// measurement each, the cheapest first as long as there is enough, and what is left fairly among
/// these. A demand of which not even one measurement fits gets nothing: what it saved up would be
/// of no use.
pub(crate) fn divided(supply: f64, demands: &[(f64, f64)]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by(|&i, &j| demands[i].0.total_cmp(&demands[j].0));
    let mut given = vec![0.0; demands.len()];
    let mut more = vec![0.0; demands.len()];
    let mut left = supply;
    for index in order {
        let (one, all) = demands[index];
        if one > left {
            break;
        }
        left -= one;
        given[index] = one;
        more[index] = (all - one).max(0.0);
    }
    for (given, more) in given.iter_mut().zip(fair(left, &more)) {
        *given += more;
    }
    given
}

/// Seconds that may be spent before they were saved up, at most, and as a part of the run's supply.
const MOST_CREDIT: f64 = 1.0;
const CREDIT: f64 = 0.25;

/// The part of what is left that is given out at the end: what takes longer than was thought cannot
/// be made up for any more.
const AT_END: f64 = 0.7;

/// Returns what may be given out at the end of a run of the `left` seconds.
pub(crate) fn at_end(left: f64) -> f64 {
    AT_END * left
}

/// Trials of the risks take some gradients over few examples: about as long as so many steps of
/// training.
const TRIAL: f64 = 2.0;

/// Tells whether a run can afford the trials that a plan needs: `saved` seconds so far, `supply`
/// seconds in all if the run's length is known, `step` seconds each step.
pub(crate) fn affords_trial(saved: f64, supply: Option<f64>, step: f64) -> bool {
    saved + credit(supply.unwrap_or(0.0)) >= TRIAL * step
}

/// Returns what may be spent of a supply before it was saved up.
fn credit(supply: f64) -> f64 {
    (CREDIT * supply).min(MOST_CREDIT)
}

impl Plan {
    /// Seconds that may be spent before they are saved up when the part `progress` of the run is
    /// done.
    pub(crate) fn credit(&self, progress: f64) -> f64 {
        credit(self.supply) * (1.0 - progress)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_is_measured_and_the_rest_waits() {
        let requests = [
            MeasuringCost {
                least: 2.0,
                full: 10.0,
            },
            MeasuringCost::fixed(1.0),
            MeasuringCost::fixed(7.0),
        ];
        // The two cheapest take 3 of 5 seconds; the first could use all that is left.
        assert_eq!(allot(5.0, &requests), [Some(4.0), Some(1.0), None]);
        assert_eq!(allot(0.5, &requests), [None, None, None]);
        assert_eq!(allot(100.0, &requests), [Some(10.0), Some(1.0), Some(7.0)]);
    }

    #[test]
    fn what_one_does_not_want_goes_to_the_others() {
        assert_eq!(fair(9.0, &[1.0, 100.0, f64::INFINITY]), [1.0, 4.0, 4.0]);
        assert_eq!(fair(9.0, &[1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
        assert_eq!(fair(3.0, &[5.0, 5.0, 0.0]), [1.5, 1.5, 0.0]);
        assert!(fair(1.0, &[]).is_empty());
    }

    #[test]
    fn one_measurement_of_each_comes_before_the_second_of_any() {
        // The dear one gets what it needs, and the rest is shared by the two that could use more.
        let demands = [(1.0, 100.0), (6.0, 6.0), (1.0, 3.0)];
        assert_eq!(divided(12.0, &demands), [3.0, 6.0, 3.0]);
        // It does not fit: the others have what it would have saved up in vain.
        assert_eq!(divided(7.0, &demands), [4.0, 0.0, 3.0]);
        assert_eq!(divided(0.5, &demands), [0.0, 0.0, 0.0]);
        // Nobody knows what it takes.
        assert_eq!(
            divided(3.0, &[(0.0, f64::INFINITY), (1.0, 1.0)]),
            [2.0, 1.0]
        );
    }

    #[test]
    fn credit_is_paid_back() {
        let plan = Plan {
            supply: 2.0,
            parts: Vec::new(),
        };
        assert_eq!(
            (plan.credit(0.0), plan.credit(0.5), plan.credit(1.0)),
            (0.5, 0.25, 0.0)
        );
    }

    #[test]
    fn a_trial_waits_until_it_is_saved_up_or_the_run_is_long_enough() {
        assert!(!affords_trial(0.1, None, 0.1) && affords_trial(0.2, None, 0.1));
        assert!(affords_trial(0.0, Some(0.8), 0.1) && !affords_trial(0.0, Some(0.7), 0.1));
        // Credit is a second at most.
        assert!(!affords_trial(0.0, Some(1e3), 0.6));
    }

    proptest! {
        #[test]
        fn no_more_is_given_than_there_is(available in -1.0_f64..10.0, costs in prop::collection::vec((0.0_f64..5.0, 0.0_f64..5.0), 0..6)) {
            let requests: Vec<MeasuringCost> = costs.iter().map(|(least, more)| MeasuringCost { least: *least, full: least + more }).collect();
            let given = allot(available, &requests);
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
