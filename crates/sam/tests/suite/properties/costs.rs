//! What a step costs, in passes over the whole batch.

use proptest::prelude::*;
use sam::AnyMethod;

use crate::methods::{Settings, every_method};
use crate::properties::cases::{Case, cases};
use crate::properties::training::Training;

fn is_counted(name: &str, method: AnyMethod, case: &Case, climbs: usize) {
    let mut training = Training::new(case, method);
    for number in 0..3 {
        let batch = case.batch(number);
        let looks = training.method.looks();
        let mut examples = 0;
        let mut last = 0;
        let step = training.step_with(case, number, |m, rows| {
            last = rows.indices().map_or(case.examples, <[usize]>::len);
            examples += last;
            m.losses(&batch, rows)
        });
        let cost = step.expect("everything is finite").measured.cost;
        // Shares of a batch are added up with a rounding each.
        let is = |cost: f64, passes: f64| (cost - passes).abs() < 1e-13;
        let forward = examples as f64 / case.examples as f64;
        assert!(
            is(cost.forward, forward),
            "{name}: {cost:?}, {forward} seen"
        );
        let backward = match name {
            "ESAM" => climbs as f64 + last as f64 / case.examples as f64,
            _ if looks => 1.0 + climbs as f64,
            _ => 1.0,
        };
        assert!(
            is(cost.backward, backward),
            "{name}: {cost:?}, not {backward}"
        );
    }
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn cost_is_the_share_of_the_examples_that_the_passes_saw(
        case in cases(),
        ascent_steps in 1_usize..4,
    ) {
        let settings = Settings { ascent_steps, ..Settings::of_radius(0.1) };
        for (name, method) in every_method(&settings) { is_counted(name, method, &case, ascent_steps); }
    }
}
