//! The layout of several surfaces on one picture.

use super::contours_config::ContoursConfig;
use super::named_field::NamedField;
use super::surface::MINIMUM;
use crate::axis::Axis;
use crate::color::WHITE;
use crate::drawing::geometry::Rect;
use crate::error::Error;
use crate::field::coordinate_axis;
use crate::layout::{Bar, Entry, Frame, Legend, MARGIN, Mark, NAME, SMALL, head_height, pixels};

/// The places of everything on the picture.
pub(super) struct Sheet {
    pub(super) width: u32,
    pub(super) height: u32,
    /// One unit of all sizes.
    pub(super) unit: f64,
    pub(super) columns: usize,
    /// Whether all panels have the same axes.
    pub(super) shared: bool,
    pub(super) frames: Vec<Frame>,
    /// The rectangle around all plots.
    pub(super) area: Rect,
    pub(super) legend: Legend,
    pub(super) bar: Option<Bar>,
}

/// The smallest side of a panel whose ticks can be told apart.
const SMALLEST_PANEL: u32 = 100;

impl Sheet {
    /// Lays out the surfaces, whose values together are spread over `values`.
    pub(super) fn of(
        panels: &[NamedField<'_>],
        values: Option<Axis>,
        config: &ContoursConfig,
    ) -> Result<Self, Error> {
        let columns = columns(panels.len());
        let rows = panels.len().div_ceil(columns);
        let side = f64::from(config.side);
        // Lettering grows with the picture, more slowly when there are many panels.
        let unit = side / 280.0 * [0.8, 1.0, 1.05, 1.1][columns.clamp(1, 4) - 1];

        let axes: Vec<[Axis; 2]> = panels
            .iter()
            .map(|p| [p.field.a, p.field.b].map(coordinate_axis))
            .collect();
        let shared = axes.iter().all(|pair| *pair == axes[0]);
        let plot = Rect::of_size(side, side);
        let mut frames: Vec<Frame> = axes
            .into_iter()
            .map(|[a, b]| Frame::around(plot, a, b, unit))
            .collect();
        let mut widest = [0.0_f64; 2];
        for frame in &frames {
            let labels = frame.widest_labels();
            widest = [0, 1].map(|k| widest[k].max(labels[k]));
        }

        // Beside and below a plot whose labels are written, and between plots.
        let (left, below) = (widest[1] + 24.0 * unit, (SMALL + 18.0) * unit);
        let gap = (widest[0] + 0.5 * SMALL * unit).max(24.0 * unit);
        let head = PANEL_HEAD * unit;
        let (across, down) = if shared {
            (side + gap, head + side + 14.0 * unit)
        } else {
            (left + side + gap.min(40.0 * unit), head + side + below)
        };
        let name = (MARGIN + NAME + 6.0) * unit;
        let legend = legend(panels, config);
        let spaces = (columns - 1) as f64;
        let area_width = side + spaces * across;
        let bar_height = side + (rows - 1) as f64 * down;
        let bar = values.map(|axis| Bar::new(bar_height, unit, axis, config.levels));
        let right = bar.as_ref().map_or(widest[0] / 2.0, |bar| bar.room) + MARGIN * unit;
        let width = name + left + area_width + right;
        let legend = Legend::arrange(&legend, width - 30.0 * unit, unit);
        let top = head_height(&config.title, &legend, unit) + 12.0 * unit + head;
        let height = top + bar_height + below + name;

        let origin = (name + left, top);
        for (index, frame) in frames.iter_mut().enumerate() {
            let left = (origin.0 + (index % columns) as f64 * across).round();
            let top = (origin.1 + (index / columns) as f64 * down).round();
            frame.plot = Rect {
                left,
                top,
                right: left + side,
                bottom: top + side,
            };
        }
        let area = Rect {
            left: origin.0,
            top: origin.1,
            right: origin.0 + area_width,
            bottom: origin.1 + bar_height,
        };
        let [width, height] = [width, height].map(pixels);
        if config.side < SMALLEST_PANEL {
            return Err(Error::PictureSize { width, height });
        }
        Ok(Self {
            width,
            height,
            unit,
            columns,
            shared,
            frames,
            area,
            legend,
            bar,
        })
    }
}

/// Returns the number of panels in a row: all of up to three, two of four, and at most four where
/// the rows stay fewer than eight.
pub(crate) fn columns(panels: usize) -> usize {
    match panels {
        0..=3 => panels.max(1),
        4 => 2,
        5 | 6 | 9 => 3,
        _ => 4.max(panels.isqrt()),
    }
}

/// The height above a plot for its name and its range, in units of the picture.
const PANEL_HEAD: f64 = 90.0;

fn legend(panels: &[NamedField<'_>], config: &ContoursConfig) -> Vec<Entry> {
    let mut legend = Vec::new();
    if panels.iter().any(|p| p.field.holds_zero()) {
        legend.push(Entry::new(Mark::Center, "centre"));
    }
    if panels.iter().any(|p| p.field.varies()) {
        legend.push(Entry::new(Mark::Minimum(MINIMUM), "minimum"));
    }
    // The panels have tracks of their own, under the names of the panels.
    if config
        .tracks
        .iter()
        .flatten()
        .any(|track| track.points.len() > 1)
    {
        legend.push(Entry::new(Mark::Begin(WHITE), "start"));
        legend.push(Entry::new(Mark::End(WHITE), "end"));
    }
    legend.extend(Entry::not_finite(
        panels.iter().flat_map(|p| p.field.values),
    ));
    legend
}
