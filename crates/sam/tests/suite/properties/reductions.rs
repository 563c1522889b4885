//! Settings with which a method is SAM.

use proptest::prelude::*;
use sam::AnyMethod;
use serde_json::json;

use crate::methods::Settings;
use crate::properties::cases::{Case, cases};
use crate::properties::training::Training;

const STEPS: usize = 5;

fn is_sam(name: &str, other: AnyMethod, settings: &Settings, case: &Case) {
    let model = case.model();
    let mut sam = Training::of(
        model.clone(),
        case,
        settings.method(json!({ "method": "sam" })),
    );
    let mut other = Training::of(model, case, other);
    for number in 0..STEPS {
        let batch = case.batch(number);
        let (mut passes, mut other_passes) = (0, 0);
        let step = sam.step_with(case, number, |model, rows| {
            passes += 1;
            model.losses(&batch, rows)
        });
        let other_step = other.step_with(case, number, |model, rows| {
            other_passes += 1;
            model.losses(&batch, rows)
        });
        assert_eq!((passes, other_passes), (1 + settings.ascent_steps, passes));
        let (step, other_step) = (step.expect("finite"), other_step.expect("finite"));
        assert_eq!(format!("{step:?}"), format!("{other_step:?}"), "{name}");
        assert_eq!(sam.snapshot(), other.snapshot(), "{name}, step {number}");
    }
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn each_method_is_sam_with_the_settings_that_make_it_so(
        case in cases(),
        rho in 0.01..0.5,
        ascent_steps in 1_usize..4,
        more in 0_usize..3,
    ) {
        let settings = Settings { ascent_steps, ..Settings::of_radius(rho) };
        let whole = json!({ "method": "m-sam", "examples": case.examples + more });
        is_sam("m-SAM", settings.method(whole), &settings, &case);
        let looksam = json!({ "method": "looksam", "k": 1 });
        is_sam("LookSAM", settings.method(looksam), &settings, &case);
        let gsam = json!({ "method": "gsam", "alpha": 0.0 });
        is_sam("GSAM", settings.method(gsam), &settings, &case);
        let friendly = json!({ "method": "friendly-sam", "sigma": 0.0 });
        is_sam("Friendly-SAM", settings.method(friendly), &settings, &case);
        let esam = json!({ "method": "esam", "beta": 1.0, "gamma": 1.0 });
        is_sam("ESAM", settings.method(esam), &settings, &case);
    }
}
