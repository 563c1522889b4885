//! Methods that are chosen at run time, and settings that are none.

use burn::optim::SgdConfig;
use sam::{
    AnyMethod, AsamConfig, Error, EsamConfig, FriendlySamConfig, GsamConfig, InLearner,
    LookSamConfig, MethodConfig, MicroBatchSamConfig, RhoSchedule, SamConfig, SharpnessAware,
};

use crate::methods::{Settings, every_method};
use crate::properties::nets::{Batch, Net, bits};

fn net() -> (Net, Batch) {
    let dtype = burn::tensor::DType::F64;
    (
        Net::new(1, &[3, 4, 2], true, dtype),
        Batch::new(2, 6, [3, 2], dtype),
    )
}

#[test]
fn method_of_a_toml_file_trains() {
    let file = "method = 'looksam'\nk = 5\nrho = 0.2\n[schedule.linear]\nend = 0.0\nsteps = 4";
    let config: MethodConfig = toml::from_str(file).expect("a method");
    let mut method: AnyMethod = config.init().expect("settings in range");
    let ((mut model, batch), mut optim) = (net(), SgdConfig::new().init());
    for rho in [0.2, 0.15, 0.1] {
        let step = method
            .step(&mut optim, 0.1, model, |m: &Net| m.loss(&batch))
            .expect("a step");
        assert!((step.measured.rho - rho).abs() < 1e-15);
        model = step.model;
    }
    assert!(!method.looks() && method.state().steps() == 3);
}

#[test]
fn settings_that_a_file_leaves_out_are_those_of_the_configuration() {
    let pairs = [
        ("sam", SamConfig::new().to_string()),
        ("asam", AsamConfig::new().to_string()),
        ("gsam", GsamConfig::new().to_string()),
        ("looksam", LookSamConfig::new().to_string()),
        ("esam", EsamConfig::new().to_string()),
        ("friendly-sam", FriendlySamConfig::new().to_string()),
        (
            "m-sam\"\nexamples = 7 # \"",
            MicroBatchSamConfig::new(7).to_string(),
        ),
    ];
    for (name, defaults) in pairs {
        let config: MethodConfig = toml::from_str(&format!("method = \"{name}\"")).expect(name);
        let written = serde_json::to_value(&config).expect("written");
        let mut defaults: serde_json::Value = serde_json::from_str(&defaults).expect("read");
        defaults["method"] = written["method"].clone();
        assert_eq!(written, defaults);
        // What is written can be read again, as TOML too.
        let toml = toml::to_string(&config).expect("written");
        let again: MethodConfig = toml::from_str(&toml).expect("read");
        assert_eq!(serde_json::to_value(&again).expect("written"), written);
    }
}

#[test]
fn mistakes_of_a_file_are_named() {
    for (file, said) in [
        ("rho = 0.1", "missing field `method`"),
        ("method = 3", "method: invalid type: integer `3`"),
        (
            "method = 'sma'",
            "unknown variant `sma`, expected one of `sam`, `asam`",
        ),
        (
            "method = 'sam'\nrh = 0.1",
            "sam: there is no setting `rh`; there are ",
        ),
        (
            "method = 'sam'\nalpha = 0.1",
            "sam: there is no setting `alpha`",
        ),
        (
            "method = 'gsam'\nalpha = 'a'",
            "gsam: `alpha`: invalid type: string \"a\"",
        ),
        (
            "method = 'sam'\nsame_masks = -1",
            "sam: `same_masks`: invalid value: integer `-1`",
        ),
        ("method = 'm-sam'", "missing field `examples`"),
        ("method = 'sam'\nschedule = 'cosine'", "`schedule`: "),
        (
            "method = 'sam'\n[schedule.cosine]\nend = 0.1\nsteps = 3\nlast = 1",
            "unknown field `last`",
        ),
        (
            "method = 'sam'\nperturbed = 'norm'",
            "`perturbed`: unknown variant `norm`",
        ),
    ] {
        let refused = toml::from_str::<MethodConfig>(file).expect_err(file);
        let refused = refused.to_string();
        assert!(refused.contains(said), "{file}: {refused}");
    }
}

#[test]
fn setting_out_of_range_is_an_error_that_names_it() {
    fn says<R>(method: Result<SharpnessAware<R>, Error>, said: &str) {
        match method {
            Err(refused @ Error::Setting { .. }) => assert_eq!(refused.to_string(), said),
            Err(other) => panic!("{said}: {other}"),
            Ok(_) => panic!("{said}: taken"),
        }
    }
    let finite = "it must be finite and not negative";
    let sam = SamConfig::new;
    says(sam().with_rho(-1.0).init(), &format!("rho is -1; {finite}"));
    says(
        sam().with_rho(f64::INFINITY).init(),
        &format!("rho is inf; {finite}"),
    );
    says(
        sam().with_ascent_steps(0).init(),
        "ascent_steps is 0; it must be at least 1",
    );
    let scheduled = |schedule| sam().with_schedule(schedule).init();
    let (end, steps) = (-0.5, 3);
    says(
        scheduled(RhoSchedule::Linear { end, steps }),
        &format!("schedule.end is -0.5; {finite}"),
    );
    says(
        scheduled(RhoSchedule::Cosine { end, steps }),
        &format!("schedule.end is -0.5; {finite}"),
    );
    let proportional = RhoSchedule::Proportional { lr_max: 0.0 };
    says(
        scheduled(proportional),
        "schedule.lr_max is 0; it must be positive",
    );
    let between = RhoSchedule::Between {
        rho_min: 0.0,
        lr_min: 0.2,
        lr_max: 0.1,
    };
    says(
        scheduled(between),
        "schedule.lr_max is 0.1; it must be above lr_min",
    );
    says(
        AsamConfig::new().with_eta(f64::NAN).init(),
        &format!("eta is NaN; {finite}"),
    );
    says(
        GsamConfig::new().with_alpha(-0.1).init(),
        &format!("alpha is -0.1; {finite}"),
    );
    says(
        LookSamConfig::new().with_alpha(-0.1).init(),
        &format!("alpha is -0.1; {finite}"),
    );
    says(
        LookSamConfig::new().with_k(0).init(),
        "k is 0; it must be at least 1",
    );
    let share = "it must be above 0 and at most 1";
    says(
        EsamConfig::new().with_beta(0.0).init(),
        &format!("beta is 0; {share}"),
    );
    says(
        EsamConfig::new().with_gamma(1.5).init(),
        &format!("gamma is 1.5; {share}"),
    );
    says(
        FriendlySamConfig::new().with_sigma(-1.0).init(),
        &format!("sigma is -1; {finite}"),
    );
    says(
        FriendlySamConfig::new().with_lambda(1.5).init(),
        "lambda is 1.5; it must be between 0 and 1",
    );
    says(
        MicroBatchSamConfig::new(0).init(),
        "examples is 0; it must be at least 1",
    );
    let file = toml::from_str::<MethodConfig>("method = 'esam'\nbeta = 2").expect("a method");
    says(file.init(), &format!("beta is 2; {share}"));
}

#[test]
fn method_of_any_type_is_that_of_its_own_type_bit_for_bit() {
    fn same<R: sam::Rule + Into<sam::AnyRule>>(
        name: &str,
        method: Result<SharpnessAware<R>, Error>,
    ) {
        let mut own = method.expect("settings in range");
        let mut any = own.clone().into_any();
        let (model, batch) = net();
        let (mut own_model, mut any_model) = (model.clone(), model);
        let (mut own_optim, mut any_optim) = (SgdConfig::new().init(), SgdConfig::new().init());
        for _ in 0..4 {
            let losses = |m: &Net, rows: sam::Rows<'_>| m.losses(&batch, rows);
            let step = own
                .step_examples(&mut own_optim, 0.1, own_model, 6, losses)
                .expect("a step");
            let again = any
                .step_examples(&mut any_optim, 0.1, any_model, 6, losses)
                .expect("a step");
            assert_eq!(step.measured, again.measured, "{name}");
            (own_model, any_model) = (step.model, again.model);
            assert_eq!(bits(&own_model), bits(&any_model), "{name}");
        }
    }
    same("SAM", SamConfig::new().init());
    same("ASAM", AsamConfig::new().init());
    same("GSAM", GsamConfig::new().init());
    same("LookSAM", LookSamConfig::new().with_k(2).init());
    same("ESAM", EsamConfig::new().init());
    same("Friendly-SAM", FriendlySamConfig::new().init());
    same("m-SAM", MicroBatchSamConfig::new(4).init());
}

#[test]
fn method_of_any_type_is_a_part_of_a_learner() {
    let (model, batch) = net();
    for (name, mut method) in every_method(&Settings::of_radius(0.1)) {
        let part = InLearner::new(method.clone(), &model);
        let losses = |m: &Net, rows: sam::Rows<'_>| (m.losses(&batch, rows), ());
        let step = part.step_examples(&model, 6, losses).expect("a step");
        let mut optim = SgdConfig::new().init();
        let taken = method
            .step_examples(&mut optim, 0.1, model.clone(), 6, losses)
            .expect("a step");
        let measured = step.measured.expect("finite");
        assert_eq!(
            (measured.loss, measured.peak),
            (taken.measured.loss, taken.measured.peak),
            "{name}"
        );
        assert_eq!(part.steps(), 1, "{name}");
    }
}
