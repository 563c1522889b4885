//! The pictures.

use anyhow::{Context, Result};
use landscape::Surface;
use landscape::test_functions::TestFunction;
use pictures::{
    AxisScale, ContourConfig, Field, MarkedPoint, PerspectiveConfig, Picture, contour_with,
    perspective_with, sheet,
};

use crate::found::Found;

/// Draws all surfaces in one picture from above and in one in perspective, and returns the paths.
pub(crate) fn pictures(surfaces: &[(TestFunction, Surface, Found)]) -> Result<[&'static str; 2]> {
    const FOLDER: &str = "runs/example-test-functions";
    const PATHS: [&str; 2] = [
        "runs/example-test-functions/contours.png",
        "runs/example-test-functions/surfaces.png",
    ];
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let above: Vec<Picture> = surfaces.iter().map(from_above).collect::<Result<_>>()?;
    let beside: Vec<Picture> = surfaces.iter().map(in_perspective).collect::<Result<_>>()?;
    let titles = [
        "Four test functions and their critical points",
        "Four test functions",
    ];
    for ((path, title), panels) in PATHS.into_iter().zip(titles).zip([above, beside]) {
        sheet(&panels, title)?.save(path)?;
    }
    Ok(PATHS)
}

fn field(surface: &Surface) -> Field<'_> {
    Field::from((&surface.a[..], &surface.b[..], &surface.loss[..]))
}

/// Returns the contours, with the critical points that were found.
fn from_above((function, surface, found): &(TestFunction, Surface, Found)) -> Result<Picture> {
    let points = found.points.iter().map(|known| MarkedPoint {
        // Names beside dozens of points would hide the surface.
        name: match found.points.len() {
            1 => known.kind.to_string(),
            _ => String::new(),
        },
        at: known.at,
    });
    let config = ContourConfig {
        a_label: "x".into(),
        b_label: "y".into(),
        value_label: "f".into(),
        points: points.collect(),
        ..ContourConfig::new(function.formula())
    };
    Ok(contour_with(field(surface), &config)?)
}

fn in_perspective((function, surface, _): &(TestFunction, Surface, Found)) -> Result<Picture> {
    let config = PerspectiveConfig {
        a_label: "x".into(),
        b_label: "y".into(),
        value_label: "f".into(),
        // Heights that a reader knows from the formula.
        scale: AxisScale::Linear,
        ..PerspectiveConfig::new(function.formula())
    };
    Ok(perspective_with(field(surface), &config)?)
}
