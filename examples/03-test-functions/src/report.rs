//! The pictures.

use anyhow::{Context, Result};
use landscape::Surface;
use landscape::test_functions::TestFunction;
use pictures::{ContourConfig, contour_with};

use crate::found::Found;

/// Draws every surface, and returns the paths.
pub(crate) fn pictures(surfaces: &[(TestFunction, Surface, Found)]) -> Result<Vec<String>> {
    const FOLDER: &str = "runs/example-test-functions";
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let mut paths = Vec::new();
    for (function, surface, _) in surfaces {
        let config = ContourConfig {
            a_label: "x".into(),
            b_label: "y".into(),
            value_label: "f".into(),
            ..ContourConfig::new(function.formula())
        };
        let field = (&surface.a[..], &surface.b[..], &surface.loss[..]);
        let path = format!("{FOLDER}/{}.png", function.name());
        contour_with(field, &config)?.save(&path)?;
        paths.push(path);
    }
    Ok(paths)
}
