//! Stopping, saving, loading and going on.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::Module;
use proptest::prelude::*;
use sam::{AnyMethod, RhoSchedule};

use crate::methods::{Settings, every_method};
use crate::properties::cases::{Case, cases};
use crate::properties::training::Training;

const STEPS: usize = 8;

/// A file of its own for each call, in the folder that Cargo gives to tests.
pub(crate) fn path(name: &str) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("sam-{process}-{number}-{name}.bpk"))
}

fn goes_on_as_if_not_stopped(name: &str, method: AnyMethod, case: &Case, stop: usize) {
    let fresh = method.clone();
    let mut training = Training::new(case, method);
    for number in 0..stop {
        training.step(case, number);
    }
    let files = ["model", "optimiser", "method"].map(path);
    let [model, optimiser, state] = &files;
    training.model.clone().save_file(model).expect("saved");
    training.optim.save(optimiser).expect("saved");
    training.method.save(state).expect("saved");

    let mut resumed = Training {
        model: case.another_model().load_file(model),
        optim: case.optimiser().load(optimiser).expect("loaded"),
        method: fresh.load(state).expect("loaded"),
    };
    // What a method has loaded does not need its file any more. Burn's tensors read theirs when
    // they are used, and those of an unused layer are used at the very end.
    std::fs::remove_file(state).expect("the file is there");
    assert_eq!(resumed.snapshot(), training.snapshot(), "{name}");
    for number in stop..STEPS {
        training.step(case, number);
        resumed.step(case, number);
        assert_eq!(
            resumed.snapshot(),
            training.snapshot(),
            "{name}, step {number}"
        );
    }
    for file in [model, optimiser] {
        std::fs::remove_file(file).expect("the file is there");
    }
}

fn schedules() -> impl Strategy<Value = RhoSchedule> {
    prop_oneof![
        Just(RhoSchedule::Constant),
        Just(RhoSchedule::Linear {
            end: 0.02,
            steps: 6
        }),
        Just(RhoSchedule::Cosine {
            end: 0.02,
            steps: 6
        }),
        Just(RhoSchedule::Proportional { lr_max: 0.01 }),
        Just(RhoSchedule::Between {
            rho_min: 0.02,
            lr_min: 0.001,
            lr_max: 0.01
        }),
    ]
}

proptest! {
    // Fewer than elsewhere: each case writes 21 files through to the disk.
    #![proptest_config(ProptestConfig { cases: 20, ..crate::properties::config() })]

    #[test]
    fn loading_what_was_saved_and_going_on_is_going_on(
        case in cases(),
        schedule in schedules(),
        stop in 0_usize..6,
    ) {
        let settings = Settings { schedule, ..Settings::of_radius(0.1) };
        let case = case.that_can_be_loaded();
        for (name, method) in every_method(&settings) { goes_on_as_if_not_stopped(name, method, &case, stop); }
    }
}
