//! The unevenness of lines and surfaces through the weights.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::number::Number;

/// The unevenness of a slice.
///
/// For losses `L₀ .. L_n` along a line with the lowest one `L_m`, a loss with a single valley has
/// the total variation `(L₀ − L_m) + (L_n − L_m)`. The excess is what the total variation is above
/// it, over the range of the losses: 0 for a single valley, and twice the height of each further
/// hill or dent otherwise. Differences of neighbours are exact up to the rounding of the losses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slice {
    pub(crate) step: u64,
    /// The mean excess over the lines of the slice.
    pub(crate) excess: Number,
    /// The number of valleys of the most uneven line.
    pub(crate) valleys: usize,
    /// The share of points that are not finite.
    pub(crate) not_finite: Number,
}

impl Slice {
    /// Returns the unevenness of the numbers under `tag`, if they are those of a slice.
    pub(crate) fn of(tag: &str, step: u64, data: &Value) -> Option<Self> {
        if !tag.starts_with("landscape/") || tag.contains("interpolation") {
            return None;
        }
        let lines = match data.get("curves").and_then(Value::as_array) {
            // The first curve is that of the training examples.
            Some(curves) => vec![losses(curves.first()?.get("loss")?)?],
            None => {
                let loss = losses(data.get("loss")?)?;
                let columns = data.get("b")?.as_array()?.len();
                if columns == 0 {
                    return None;
                }
                let rows = loss.chunks_exact(columns);
                let column = |j: usize| -> Vec<f64> {
                    loss.iter().skip(j).step_by(columns).copied().collect()
                };
                rows.map(<[f64]>::to_vec)
                    .chain((0..columns).map(column))
                    .collect()
            }
        };
        let points: usize = lines.iter().map(Vec::len).sum();
        if points == 0 {
            return None;
        }
        let finite = |value: &&f64| value.is_finite();
        let wrong = points - lines.iter().flatten().filter(finite).count();
        let uneven: Vec<(f64, usize)> = lines.iter().filter_map(|line| unevenness(line)).collect();
        let sum: f64 = uneven.iter().map(|(excess, _)| excess).sum();
        Some(Self {
            step,
            excess: Number(if uneven.is_empty() {
                0.0
            } else {
                sum / uneven.len() as f64
            }),
            valleys: uneven
                .iter()
                .map(|(_, valleys)| *valleys)
                .max()
                .unwrap_or(0),
            not_finite: Number(wrong as f64 / points as f64),
        })
    }
}

fn losses(list: &Value) -> Option<Vec<f64>> {
    let numbers = list.as_array()?.iter();
    Some(
        numbers
            .map(|number| number.as_f64().unwrap_or(f64::NAN))
            .collect(),
    )
}

/// Returns the excess of a line and the number of its valleys; `None` where nothing varies.
fn unevenness(line: &[f64]) -> Option<(f64, usize)> {
    let line: Vec<f64> = line
        .iter()
        .copied()
        .filter(|loss| loss.is_finite())
        .collect();
    let (first, last) = (*line.first()?, *line.last()?);
    let lowest = line.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = line.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = highest - lowest;
    let size = lowest.abs().max(highest.abs());
    // Smaller ranges are rounding, or as good as flat.
    if !(range > 1e-3 * size && range.is_finite()) {
        return None;
    }
    let total: f64 = line.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    let single = (first - lowest) + (last - lowest);
    // A valley counts where the loss falls and rises by a hundredth of the range.
    let (mut valleys, mut falls) = (0, true);
    let (mut low, mut high) = (first, first);
    for loss in &line {
        if falls {
            low = low.min(*loss);
            if *loss > low + 0.01 * range {
                valleys += 1;
                (falls, high) = (false, *loss);
            }
        } else {
            high = high.max(*loss);
            if *loss < high - 0.01 * range {
                (falls, low) = (true, *loss);
            }
        }
    }
    valleys += usize::from(falls);
    Some((((total - single) / range).max(0.0), valleys))
}
