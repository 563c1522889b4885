//! Draws one picture of every kind, in light and in dark, into a folder.
//!
//! ```sh
//! cargo run --release -p pictures --example gallery -- runs/gallery
//! ```

use std::path::{Path, PathBuf};

use pictures::{
    Camera, ContourConfig, Error, NamedField, PerspectiveConfig, Picture, Theme, contour_with,
    perspective_with, perspectives_with,
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
        ("perspective", perspective_picture(theme)?),
        ("perspective-holes", holes(theme)?),
        ("perspectives", perspectives_picture(theme)?),
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
