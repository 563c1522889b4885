//! The numbers and the pictures of densities, lines and surfaces, in the form in which instruments record them.

use landscape::Surface;
use landscape::spectrum::Density;
use serde_json::{Value, json};

use crate::Error;
use crate::record::{json_number, json_numbers};
use crate::render::{self, ContourConfig, Field, Picture, Series, Spectrum, contour};

/// A spectral density as [`tag::DENSITY_DATA`](crate::tag::DENSITY_DATA) has it.
#[must_use]
pub fn density_data(found: &Density) -> Value {
    json!({
        "nodes": json_numbers(&found.nodes),
        "weights": json_numbers(&found.weights),
        "grid": json_numbers(&found.grid),
        "density": json_numbers(&found.density),
        "sigma": json_number(found.sigma),
    })
}

/// Its picture at `step`.
///
/// # Errors
///
/// As [`render::density`](fn@render::density).
pub fn density_picture(found: &Density, step: u64) -> Result<Picture, Error> {
    let spectrum = Spectrum {
        grid: &found.grid,
        density: &found.density,
        nodes: &found.nodes,
    };
    let title = format!("Spectral density of the Hessian, step {step}");
    render::density(&spectrum, &render::DensityConfig::new(title))
}

/// Losses at the multiples `a` of a direction, drawn from `seed`, as [`tag::LINE_DATA`](crate::tag::LINE_DATA) has them.
#[must_use]
pub fn line_data(direction: &str, seed: u64, a: &[f64], curves: &[(&str, &[f64])]) -> Value {
    json!({
        "direction": direction,
        "seed": seed,
        "a": json_numbers(a),
        "curves": curves_data(curves),
    })
}

/// Named losses as lists.
#[must_use]
pub fn curves_data(curves: &[(&str, &[f64])]) -> Value {
    let named = |(name, loss): &(&str, &[f64])| json!({ "name": name, "loss": json_numbers(loss) });
    curves.iter().map(named).collect()
}

/// Named losses over the same multiples, for drawing.
#[must_use]
pub fn series<'a>(a: &'a [f64], curves: &[(&'a str, &'a [f64])]) -> Vec<Series<'a>> {
    let series = |(name, loss): &(&'a str, &'a [f64])| Series {
        name,
        x: a,
        y: loss,
    };
    curves.iter().map(series).collect()
}

/// The picture of a line at `step`.
///
/// # Errors
///
/// As [`render::line`](fn@render::line).
pub fn line_picture(
    direction: &str,
    a: &[f64],
    curves: &[(&str, &[f64])],
    step: u64,
) -> Result<Picture, Error> {
    let title = format!("Loss along {direction}, step {step}");
    render::line(&series(a, curves), &title)
}

/// Losses on the plane of two random directions, drawn from `seed`, as [`tag::SURFACE_DATA`](crate::tag::SURFACE_DATA) has them.
#[must_use]
pub fn surface_data(surface: &Surface, seed: u64) -> Value {
    json!({
        "directions": "two random directions, filter-normalised",
        "seed": seed,
        "a": json_numbers(&surface.a),
        "b": json_numbers(&surface.b),
        "loss": json_numbers(&surface.loss),
        "order": "loss[i * b.len() + j] belongs to a[i] and b[j]",
    })
}

/// Its picture at `step`.
///
/// # Errors
///
/// As [`contour`](fn@contour).
pub fn surface_picture(surface: &Surface, step: u64) -> Result<Picture, Error> {
    let config = ContourConfig::new(format!("Loss surface, step {step}"));
    contour(&Field::from(surface), &config)
}
