//! Lines, paths and a matrix.

use pictures::{
    AxisScale, Band, CurvesConfig, Error, MatrixConfig, Panel, PathProfile, Picture, Series,
    StackedConfig, Theme, curves_with, matrix_with, path_profiles_with, stacked_with,
};

pub(crate) fn line(theme: Theme) -> Result<Picture, Error> {
    let x: Vec<f64> = (-20..=20).map(|k| f64::from(k) / 20.0).collect();
    let of = |f: &dyn Fn(f64) -> f64| -> Vec<f64> { x.iter().map(|x| f(*x)).collect() };
    let sgd = of(&|x| 0.05 + 4.0 * x * x);
    let sam = of(&|x| 0.08 + 1.2 * x * x);
    let asam = of(&|x| 0.07 + 1.6 * x * x + 0.2 * x);
    let series =
        [("SGD", &sgd), ("SAM", &sam), ("ASAM", &asam)].map(|(name, y)| Series { name, x: &x, y });
    curves_with(
        &series,
        &CurvesConfig {
            theme,
            ..CurvesConfig::loss_line("Loss along the top eigenvector")
        },
    )
}

pub(crate) fn stacked(theme: Theme) -> Result<Picture, Error> {
    let x: Vec<f64> = (-25..=25).map(|k| f64::from(k) / 25.0).collect();
    let of = |f: &dyn Fn(f64) -> f64| -> Vec<f64> { x.iter().map(|x| f(*x)).collect() };
    let train = of(&|x| 0.02 + 3.0 * x * x);
    let test = of(&|x| 0.12 + 3.3 * (x - 0.08).powi(2));
    let spread = of(&|x| 0.03 + 0.5 * x * x);
    let (low, high): (Vec<f64>, Vec<f64>) = test
        .iter()
        .zip(&spread)
        .map(|(m, s)| (m - s, m + s))
        .unzip();
    let right = of(&|x| 0.1 + 0.9 * (-2.0 * x * x).exp());
    let right_test = of(&|x| 0.1 + 0.82 * (-2.2 * (x - 0.06).powi(2)).exp());
    let loss = [("training", &train), ("test", &test)].map(|(name, y)| Series { name, x: &x, y });
    let accuracy =
        [("training", &right), ("test", &right_test)].map(|(name, y)| Series { name, x: &x, y });
    let band = Band {
        name: "test",
        x: &x,
        low: &low,
        high: &high,
    };
    let panels = [
        Panel {
            y_label: "loss",
            scale: AxisScale::Auto,
            curves: &loss,
            bands: &[band],
        },
        Panel {
            y_label: "accuracy",
            scale: AxisScale::Linear,
            curves: &accuracy,
            bands: &[],
        },
    ];
    stacked_with(
        &panels,
        &StackedConfig {
            theme,
            ..StackedConfig::new("Loss and accuracy along a direction")
        },
    )
}

pub(crate) fn path_profiles(theme: Theme) -> Result<Picture, Error> {
    let t: Vec<f64> = (0..=30).map(|k| f64::from(k) / 30.0).collect();
    let bump = |height: f64| -> Vec<f64> {
        t.iter()
            .map(|t| 0.1 + 0.2 * t + height * (std::f64::consts::PI * t).sin().powi(2))
            .collect()
    };
    let fall = |depth: f64| -> Vec<f64> {
        t.iter()
            .map(|t| 0.97 - 0.03 * t - depth * (std::f64::consts::PI * t).sin().powi(2))
            .collect()
    };
    let (line, bezier, aligned) = (bump(1.9), bump(0.12), bump(0.5));
    let (line_right, bezier_right, aligned_right) = (fall(0.55), fall(0.03), fall(0.15));
    let profiles = [
        ("line", &line, &line_right),
        ("Bezier", &bezier, &bezier_right),
        ("aligned line", &aligned, &aligned_right),
    ]
    .map(|(name, loss, accuracy)| PathProfile {
        name,
        t: &t,
        loss,
        accuracy,
    });
    path_profiles_with(
        &profiles,
        &StackedConfig {
            theme,
            ..StackedConfig::path_profiles("Paths between two minima")
        },
    )
}

pub(crate) fn matrix(theme: Theme) -> Result<Picture, Error> {
    let names = ["seed 0", "seed 1", "seed 2", "seed 3", "seed 4"];
    let values: Vec<f64> = (0..25)
        .map(|k| (k / 5, k % 5))
        .map(|(i, j): (i32, i32)| {
            if i == j {
                0.0
            } else if (i.min(j), i.max(j)) == (1, 3) {
                f64::NAN
            } else {
                0.4 + 0.37 * f64::from((i * j + i + j) % 5)
            }
        })
        .collect();
    let config = MatrixConfig {
        theme,
        value_label: "barrier".into(),
        ..MatrixConfig::new("Barriers between models")
    };
    matrix_with(&values, &names, &names, &config)
}
