//! Draws one picture of every kind, in light and in dark, into a folder.
//!
//! ```sh
//! cargo run --release -p pictures --example gallery -- runs/gallery
//! ```

use std::path::{Path, PathBuf};

use pictures::{
    AxisScale, Band, Camera, ContourConfig, ContoursConfig, CurvesConfig, Error, LogSpectrum,
    MarkedPoint, MatrixConfig, NamedField, NamedSpectrum, Panel, PathProfile, PerspectiveConfig,
    Picture, Series, SheetConfig, Spectrum, SpectrumConfig, StackedConfig, Theme, Track,
    contour_with, contours_with, curves_with, densities_with, density_with, log_density_with,
    matrix_with, path_profiles_with, perspective_with, perspectives_with, sheet_with, stacked_with,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "runs/gallery".into());
    std::fs::create_dir_all(&folder)?;
    for (suffix, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        for (name, picture) in all(theme)? {
            for ending in ["png", "svg"] {
                let file: PathBuf = Path::new(&folder).join(format!("{name}-{suffix}.{ending}"));
                picture.save(&file)?;
            }
            println!("{name}-{suffix}: {} KB of SVG", picture.svg().len() / 1000);
        }
    }
    Ok(())
}

fn all(theme: Theme) -> Result<Vec<(&'static str, Picture)>, Error> {
    Ok(vec![
        ("contour", contour_picture(theme)?),
        ("contour-track", track_picture(theme)?),
        ("contours", contours_picture(theme)?),
        ("perspective", perspective_picture(theme)?),
        ("perspective-holes", holes(theme)?),
        ("perspectives", perspectives_picture(theme)?),
        ("line", line_picture(theme)?),
        ("stacked", stacked_picture(theme)?),
        ("path-profiles", paths_picture(theme)?),
        ("density", density_picture(theme)?),
        ("densities", densities_picture(theme)?),
        ("log-density", log_density_picture(theme)?),
        ("matrix", matrix_picture(theme)?),
        ("test-functions", test_functions(theme)?),
    ])
}

/// A grid of `n` points a side from −`reach` to `reach`, and the values of `f` on it.
struct Grid {
    axis: Vec<f64>,
    values: Vec<f64>,
}

impl Grid {
    fn of(n: usize, reach: f64, f: impl Fn(f64, f64) -> f64) -> Self {
        let axis: Vec<f64> = (0..n)
            .map(|i| reach * (2.0 * i as f64 / (n as f64 - 1.0) - 1.0))
            .collect();
        let values = axis
            .iter()
            .flat_map(|x| axis.iter().map(|y| f(*x, *y)).collect::<Vec<f64>>())
            .collect();
        Self { axis, values }
    }

    fn field(&self) -> pictures::Field<'_> {
        (&self.axis[..], &self.axis[..], &self.values[..]).into()
    }
}

/// A valley with ripples, as losses around a sharp minimum look.
fn rough(x: f64, y: f64) -> f64 {
    let bowl = 0.05 + 2.0 * x * x + 0.9 * y * y + 0.6 * x * y;
    bowl + 0.35 * (1.0 - (5.0 * x + y).cos()) * (1.0 - (4.0 * y).cos()).min(1.4)
}

fn smooth(x: f64, y: f64) -> f64 {
    0.08 + 0.8 * x * x + 0.5 * y * y
}

fn contour_picture(theme: Theme) -> Result<Picture, Error> {
    let grid = Grid::of(51, 1.5, rough);
    contour_with(
        grid.field(),
        &ContourConfig {
            theme,
            ..ContourConfig::new("Loss around the minimum")
        },
    )
}

fn perspective_picture(theme: Theme) -> Result<Picture, Error> {
    let grid = Grid::of(51, 1.5, rough);
    perspective_with(
        grid.field(),
        &PerspectiveConfig {
            theme,
            ..PerspectiveConfig::new("Loss around the minimum")
        },
    )
}

fn holes(theme: Theme) -> Result<Picture, Error> {
    let grid = Grid::of(41, 2.0, |x, y| {
        let value = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        if (x + 1.5).hypot(y - 1.0) < 0.3 {
            f64::NAN
        } else {
            value + 0.01
        }
    });
    let config = PerspectiveConfig {
        theme,
        clip: Some(800.0),
        camera: Camera {
            azimuth: 40.0,
            elevation: 40.0,
        },
        a_label: "x".into(),
        b_label: "y".into(),
        value_label: "f".into(),
        ..PerspectiveConfig::new("Rosenbrock's function")
    };
    perspective_with(grid.field(), &config)
}

fn perspectives_picture(theme: Theme) -> Result<Picture, Error> {
    let (sgd, sam) = (Grid::of(41, 1.0, rough), Grid::of(41, 1.0, smooth));
    let panels = [("SGD", &sgd), ("SAM", &sam)].map(|(name, grid)| NamedField {
        name,
        field: grid.field(),
    });
    perspectives_with(
        &panels,
        &PerspectiveConfig {
            theme,
            ..PerspectiveConfig::several("Loss around two minima")
        },
    )
}

fn track_picture(theme: Theme) -> Result<Picture, Error> {
    let grid = Grid::of(51, 1.5, rough);
    // A training that spirals into the minimum.
    let points: Vec<[f64; 2]> = (0..=40)
        .map(|k| {
            let (t, size) = (0.35 * f64::from(k), 1.35 * (-0.09 * f64::from(k)).exp());
            [size * t.cos() * 0.9, size * (t + 0.4).sin()]
        })
        .collect();
    let track = Track {
        name: "SGD, momentum 0.9".into(),
        steps: (0..=40).map(|k| 25 * k).collect(),
        points,
    };
    let point = |name: &str, at| MarkedPoint {
        name: name.into(),
        at,
    };
    let config = ContourConfig {
        theme,
        a_label: "first principal direction (81 % of the variance)".into(),
        b_label: "second (12 %)".into(),
        tracks: vec![track],
        points: vec![
            point("A", [-1.0, -0.9]),
            point("B", [0.4, -1.1]),
            point("average", [-0.3, -1.0]),
        ],
        ..ContourConfig::new("A training over the loss of its plane")
    };
    contour_with(grid.field(), &config)
}

fn contours_picture(theme: Theme) -> Result<Picture, Error> {
    let (sgd, sam) = (Grid::of(41, 1.0, rough), Grid::of(41, 1.0, smooth));
    let panels = [("SGD", &sgd), ("SAM", &sam)].map(|(name, grid)| NamedField {
        name,
        field: grid.field(),
    });
    contours_with(
        &panels,
        &ContoursConfig {
            theme,
            labels: true,
            ..ContoursConfig::new("Loss around two minima")
        },
    )
}

fn line_picture(theme: Theme) -> Result<Picture, Error> {
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

fn stacked_picture(theme: Theme) -> Result<Picture, Error> {
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

fn paths_picture(theme: Theme) -> Result<Picture, Error> {
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

/// A spectrum: a bulk at zero and outliers.
fn bulk(x: f64, width: f64) -> f64 {
    (-(x / width).powi(2) / 2.0).exp()
        + 1e-3 * (-((x - 8.0) / 0.4).powi(2) / 2.0).exp()
        + 1e-3 * (-((x - 5.0) / 0.4).powi(2) / 2.0).exp()
}

fn density_picture(theme: Theme) -> Result<Picture, Error> {
    let grid: Vec<f64> = (-200..=1000).map(|k| f64::from(k) / 100.0).collect();
    let density: Vec<f64> = grid.iter().map(|x| bulk(*x, 0.4)).collect();
    let error: Vec<f64> = density.iter().map(|d| 0.5 * d).collect();
    let spectrum = Spectrum {
        grid: &grid,
        density: &density,
        nodes: &[-0.9, -0.4, 0.0, 0.3, 0.8, 5.0, 8.0],
        standard_error: &error,
    };
    density_with(
        &spectrum,
        &SpectrumConfig {
            theme,
            ..SpectrumConfig::new("Spectral density of the Hessian")
        },
    )
}

fn densities_picture(theme: Theme) -> Result<Picture, Error> {
    let grid: Vec<f64> = (-200..=1000).map(|k| f64::from(k) / 100.0).collect();
    let wide: Vec<f64> = grid.iter().map(|x| bulk(*x, 0.4)).collect();
    let narrow: Vec<f64> = grid.iter().map(|x| bulk(2.0 * x, 0.4)).collect();
    let named = |name, density, nodes| NamedSpectrum {
        name,
        grid: &grid,
        density,
        nodes,
        standard_error: &[],
    };
    let curves = [
        named("SGD", &wide, &[-0.9, 8.0][..]),
        named("SAM", &narrow, &[-0.4, 4.0][..]),
    ];
    densities_with(
        &curves,
        &SpectrumConfig {
            theme,
            ..SpectrumConfig::new("Spectral densities")
        },
    )
}

fn log_density_picture(theme: Theme) -> Result<Picture, Error> {
    let grid: Vec<f64> = (-120..=40).map(|k| f64::from(k) / 20.0).collect();
    let hill = |at: f64, width: f64, height: f64| {
        move |x: f64| height * (-((x - at) / width).powi(2) / 2.0).exp()
    };
    let of = |hills: &[(f64, f64, f64)]| -> Vec<f64> {
        grid.iter()
            .map(|x| hills.iter().map(|(a, w, h)| hill(*a, *w, *h)(*x)).sum())
            .collect()
    };
    let sgd = of(&[(-2.5, 0.8, 0.25), (0.9, 0.12, 0.004), (1.4, 0.1, 0.002)]);
    let sgd_negative = of(&[(-3.2, 0.7, 0.15), (-1.0, 0.1, 0.001)]);
    let sam = of(&[(-3.2, 0.8, 0.28), (0.2, 0.12, 0.004), (0.6, 0.1, 0.002)]);
    let sam_negative = of(&[(-4.0, 0.6, 0.12)]);
    let error: Vec<f64> = sgd.iter().map(|d| 0.4 * d).collect();
    let spectrum = |name, positive, negative, positive_error, unresolved| LogSpectrum {
        name,
        grid: &grid,
        positive,
        negative,
        positive_error,
        negative_error: &[],
        unresolved: Some(unresolved),
    };
    let spectra = [
        spectrum("SGD", &sgd, &sgd_negative, &error[..], (1e-6, 0.24)),
        spectrum("SAM", &sam, &sam_negative, &[][..], (1e-6, 0.31)),
    ];
    log_density_with(
        &spectra,
        &SpectrumConfig {
            theme,
            floor: 1e-4,
            ..SpectrumConfig::new("Eigenvalues over decades")
        },
    )
}

fn matrix_picture(theme: Theme) -> Result<Picture, Error> {
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

fn test_functions(theme: Theme) -> Result<Picture, Error> {
    let functions: [(&str, f64, fn(f64, f64) -> f64); 4] = [
        ("Convex quadratic", 2.0, |x, y| x * x + 3.0 * y * y),
        ("Multimodal", 2.0, |x, y| {
            0.2 * (x * x + y * y) + (3.0 * x).sin() * (3.0 * y).sin()
        }),
        ("Saddle", 2.0, |x, y| x * x - y * y),
        ("Rosenbrock", 2.0, |x, y| {
            (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
        }),
    ];
    let mut pictures = Vec::new();
    for (name, reach, f) in functions {
        let grid = Grid::of(51, reach, f);
        let config = PerspectiveConfig {
            theme,
            a_label: "x".into(),
            b_label: "y".into(),
            value_label: "f".into(),
            width: 480,
            height: 360,
            ..PerspectiveConfig::new(name)
        };
        pictures.push(perspective_with(grid.field(), &config)?);
    }
    sheet_with(
        &pictures,
        &SheetConfig {
            theme,
            ..SheetConfig::new("Four test functions")
        },
    )
}
