//! Pictures of what `landscape` computes, and pictures and numbers in the form in which instruments
//! record them.

use landscape::Surface;
use landscape::per_example::GradientsAndWeights;
use landscape::spectrum::{Density, LogDensity};
use pictures::{
    MatrixConfig, NamedSpectrum, Picture, Series, Spectrum, SpectrumConfig, significant,
};
use serde_json::{Value, json};
use tensorboard::{Mesh, SurfaceConfig};

use super::{json_number, json_numbers};
use crate::Error;

/// Draws a surface as filled contours.
///
/// # Errors
/// As [`pictures::contour`](fn@pictures::contour).
///
/// # Examples
/// ```
/// use landscape::{Surface, slice::Evaluation};
/// use probes::show::contour;
///
/// let (a, b, loss) = (vec![-1.0, 1.0], vec![-1.0, 1.0], vec![0.5, 1.0, 2.0, 0.25]);
/// let surface = Surface {
///     a,
///     b,
///     loss,
///     evaluation: Evaluation::Captured,
/// };
/// assert!(
///     contour(&surface, "Training loss")?
///         .svg()
///         .contains("Training loss")
/// );
/// # Ok::<(), probes::Error>(())
/// ```
pub fn contour(surface: &Surface, title: impl Into<String>) -> Result<Picture, Error> {
    let field = (&surface.a[..], &surface.b[..], &surface.loss[..]);
    Ok(pictures::contour(field, title)?)
}

/// Draws a spectral density with its Ritz values and a band of one standard error between start
/// vectors.
///
/// # Errors
/// As [`pictures::density`](fn@pictures::density).
pub fn density(found: &Density, title: impl Into<String>) -> Result<Picture, Error> {
    let spectrum = Spectrum {
        grid: &found.grid,
        density: &found.density,
        nodes: &found.nodes,
        standard_error: &found.standard_error,
    };
    Ok(pictures::density(&spectrum, title)?)
}

/// Draws a density over the logarithm of the eigenvalues' magnitude: a curve for each sign that
/// occurs, with a band of one standard error between start vectors. What is not told from zero is
/// stated in the axis' name.
///
/// # Errors
/// As [`pictures::densities`](fn@pictures::densities); also where no eigenvalue is told from zero.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::DensityConfig;
/// use landscape::operator::Dense;
/// use landscape::spectrum::{LogDensityConfig, log_density, spectral_density};
///
/// let op = Dense::new(&[4.0, 1.0, 1.0, -1.0], (&Device::flex(), DType::F64))?;
/// let density = spectral_density(&op, &DensityConfig::new())?;
/// let found = log_density(&density, &LogDensityConfig::new())?;
/// let picture = probes::show::log_density(&found, "Magnitudes")?;
/// assert!(picture.svg().contains("negative"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn log_density(found: &LogDensity, title: impl Into<String>) -> Result<Picture, Error> {
    let part = |name, density, standard_error| NamedSpectrum {
        name,
        grid: &found.grid,
        density,
        nodes: &[],
        standard_error,
    };
    let parts = [
        part("positive", &found.positive, &found.positive_error),
        part("negative", &found.negative, &found.negative_error),
    ];
    let occurs = |part: &NamedSpectrum<'_>| part.density.iter().any(|density| *density > 0.0);
    let parts: Vec<NamedSpectrum<'_>> = parts.into_iter().filter(occurs).collect();
    let config = SpectrumConfig {
        x_label: format!(
            "log10 |λ|; below {:.1e}: {:.1} % of the eigenvalues",
            found.resolution,
            100.0 * found.unresolved.mean
        ),
        ..SpectrumConfig::new(title)
    };
    Ok(pictures::densities_with(&parts, &config)?)
}

/// Draws named losses at the multiples `a` of a direction.
///
/// # Errors
/// As [`pictures::loss_line`].
pub fn loss_line(
    a: &[f64],
    curves: &[(&str, &[f64])],
    title: impl Into<String>,
) -> Result<Picture, Error> {
    Ok(pictures::loss_line(&series(a, curves), title)?)
}

/// Returns the numbers of a spectral density, as [`tag::DENSITY_DATA`](crate::tag::DENSITY_DATA)
/// has them.
#[must_use]
pub fn density_data(found: &Density) -> Value {
    json!({
        "nodes": json_numbers(&found.nodes),
        "weights": json_numbers(&found.weights),
        "grid": json_numbers(&found.grid),
        "density": json_numbers(&found.density),
        "standard_error": json_numbers(&found.standard_error),
        "sigma": json_number(found.sigma),
    })
}

/// Draws the spectral density of step `step`.
///
/// # Errors
/// As [`density`].
pub fn density_picture(found: &Density, step: u64) -> Result<Picture, Error> {
    density(
        found,
        format!("Spectral density of the Hessian, step {step}"),
    )
}

/// Returns losses at the multiples `a` of a direction, drawn from `seed`, as
/// [`tag::LINE_DATA`](crate::tag::LINE_DATA) has them.
#[must_use]
pub fn line_data(direction: &str, seed: u64, a: &[f64], curves: &[(&str, &[f64])]) -> Value {
    json!({
        "direction": direction,
        "seed": seed,
        "a": json_numbers(a),
        "curves": curves_data(curves),
    })
}

/// Returns named losses as lists.
#[must_use]
pub fn curves_data(curves: &[(&str, &[f64])]) -> Value {
    let named = |(name, loss): &(&str, &[f64])| json!({ "name": name, "loss": json_numbers(loss) });
    curves.iter().map(named).collect()
}

/// Returns named losses over the same multiples, for drawing.
#[must_use]
pub fn series<'a>(a: &'a [f64], curves: &[(&'a str, &'a [f64])]) -> Vec<Series<'a>> {
    let series = |(name, loss): &(&'a str, &'a [f64])| Series {
        name,
        x: a,
        y: loss,
    };
    curves.iter().map(series).collect()
}

/// Draws the line of step `step`.
///
/// # Errors
/// As [`loss_line`].
pub fn line_picture(
    direction: &str,
    a: &[f64],
    curves: &[(&str, &[f64])],
    step: u64,
) -> Result<Picture, Error> {
    loss_line(a, curves, format!("Loss along {direction}, step {step}"))
}

/// Returns losses on the plane of two random directions, drawn from `seed`, as
/// [`tag::SURFACE_DATA`](crate::tag::SURFACE_DATA) has them.
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

/// Returns a surface in space, for [`tag::SURFACE_MESH`](crate::tag::SURFACE_MESH). Its heights and
/// colours lie between `limits`, by which several steps have one scale, or between its own ends;
/// they are logarithmic where both are positive and two decades or more apart.
///
/// # Errors
/// When the surface has fewer than two points along a side, or no finite loss.
pub fn surface_mesh(surface: &Surface, limits: Option<[f64; 2]>) -> Result<Mesh, Error> {
    let finite = || surface.loss.iter().copied().filter(|loss| loss.is_finite());
    let own = || {
        [
            finite().fold(f64::INFINITY, f64::min),
            finite().fold(f64::NEG_INFINITY, f64::max),
        ]
    };
    let [low, high] = limits.unwrap_or_else(own);
    let logarithmic = low > 0.0 && high / low >= 100.0;
    let config = SurfaceConfig {
        logarithmic,
        floor: limits.map(|[low, _]| low),
        ceiling: limits.map(|[_, high]| high),
        color: pictures::viridis,
        ..SurfaceConfig::default()
    };
    let mut mesh = Mesh::surface(&surface.a, &surface.b, &surface.loss, &config)?;
    // The viewer passes over a key that it does not know. From this one a report has the losses of
    // every step that an event file holds.
    if let Ok(Value::Object(mut known)) = serde_json::from_str(&mesh.config) {
        let ends = |axis: &[f64]| json!([axis.first(), axis.last()]);
        let values = json!({
            "a": ends(&surface.a), "b": ends(&surface.b),
            "low": low, "high": high, "logarithmic": logarithmic,
        });
        known.insert("values".to_owned(), values);
        mesh.config = Value::Object(known).to_string();
    }
    Ok(mesh)
}

/// Draws the surface of step `step`.
///
/// # Errors
/// As [`contour`].
pub fn surface_picture(surface: &Surface, step: u64) -> Result<Picture, Error> {
    contour(surface, format!("Loss surface, step {step}"))
}

/// Draws how many entries of example gradients there are of each size and for each value of the
/// weight: colours are decades of the count.
///
/// # Errors
/// As [`pictures::matrix_with`].
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of entries are far below 2^53"
)]
pub fn gradients_and_weights(
    found: &GradientsAndWeights,
    title: impl Into<String>,
) -> Result<Picture, Error> {
    let middles = |edges: &[f64]| -> Vec<String> {
        let middles = edges.windows(2).map(|ends| f64::midpoint(ends[0], ends[1]));
        middles.map(|middle| significant(middle, 2)).collect()
    };
    let (columns, rows) = (middles(&found.weights), middles(&found.gradients));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    // The largest gradients stand above.
    let rows: Vec<&str> = rows.iter().rev().map(String::as_str).collect();
    let of_rows = found.counts.chunks_exact(columns.len()).rev();
    let values: Vec<f64> = of_rows
        .flatten()
        .map(|count| (*count as f64).ln_1p() / std::f64::consts::LN_10)
        .collect();
    let config = MatrixConfig {
        column_label: "weight".into(),
        row_label: "gradient of an example".into(),
        value_label: "log10 (1 + entries)".into(),
        ..MatrixConfig::new(title)
    };
    Ok(pictures::matrix_with(&values, &rows, &columns, &config)?)
}

/// Returns the numbers of that picture, as
/// [`tag::VALUES_AND_WEIGHTS_DATA`](crate::tag::VALUES_AND_WEIGHTS_DATA) has them.
#[must_use]
pub fn gradients_and_weights_data(found: &GradientsAndWeights) -> Value {
    json!({
        "examples": found.examples,
        "weight_edges": json_numbers(&found.weights),
        "gradient_edges": json_numbers(&found.gradients),
        "counts": found.counts,
        "order": "counts[i * columns + j] is of gradients between gradient_edges[i] and [i + 1] and of weights between weight_edges[j] and [j + 1]",
    })
}
