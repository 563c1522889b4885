//! Surfaces: contours, tracks and perspectives.

use pictures::{
    Camera, ContourConfig, ContoursConfig, Error, MarkedPoint, NamedField, PerspectiveConfig,
    Picture, SheetConfig, Theme, Track, contour_with, contours_with, perspective_with,
    perspectives_with, sheet_with,
};

/// A square grid around the origin, and the values of a function on it.
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

/// A bowl with ripples, as losses around a sharp minimum look.
fn rough(x: f64, y: f64) -> f64 {
    let bowl = 0.05 + 2.0 * x * x + 0.9 * y * y + 0.6 * x * y;
    bowl + 0.35 * (1.0 - (5.0 * x + y).cos()) * (1.0 - (4.0 * y).cos()).min(1.4)
}

/// A shallow bowl.
fn smooth(x: f64, y: f64) -> f64 {
    0.08 + 0.8 * x * x + 0.5 * y * y
}

pub(crate) fn contour(theme: Theme) -> Result<Picture, Error> {
    let grid = Grid::of(51, 1.5, rough);
    contour_with(
        grid.field(),
        &ContourConfig {
            theme,
            ..ContourConfig::new("Loss around the minimum")
        },
    )
}

pub(crate) fn perspective(theme: Theme) -> Result<Picture, Error> {
    let grid = Grid::of(51, 1.5, rough);
    perspective_with(
        grid.field(),
        &PerspectiveConfig {
            theme,
            ..PerspectiveConfig::new("Loss around the minimum")
        },
    )
}

pub(crate) fn holes(theme: Theme) -> Result<Picture, Error> {
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

pub(crate) fn perspectives(theme: Theme) -> Result<Picture, Error> {
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

pub(crate) fn contour_with_track(theme: Theme) -> Result<Picture, Error> {
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

pub(crate) fn contours(theme: Theme) -> Result<Picture, Error> {
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

/// A function of two numbers.
type Function = fn(f64, f64) -> f64;

pub(crate) fn test_functions(theme: Theme) -> Result<Picture, Error> {
    let functions: [(&str, f64, Function); 4] = [
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

pub(crate) fn cameras(theme: Theme) -> Result<Picture, Error> {
    let grid = Grid::of(31, 1.0, rough);
    let mut pictures = Vec::new();
    for (azimuth, elevation) in [
        (-150.0, 10.0),
        (-90.0, 32.0),
        (-45.0, 32.0),
        (0.0, 45.0),
        (60.0, 60.0),
        (150.0, 85.0),
    ] {
        let config = PerspectiveConfig {
            theme,
            camera: Camera { azimuth, elevation },
            width: 480,
            height: 360,
            ..PerspectiveConfig::new(format!("From {azimuth}, {elevation} degrees"))
        };
        pictures.push(perspective_with(grid.field(), &config)?);
    }
    sheet_with(
        &pictures,
        &SheetConfig {
            theme,
            ..SheetConfig::new("One surface from six sides")
        },
    )
}
