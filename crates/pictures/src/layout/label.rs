//! Labels in the room there is: shortened texts, and as many ticks as fit.

use crate::axis::{Axis, Ticks};
use crate::drawing::font;
use crate::drawing::geometry::Rect;
use crate::error::LARGEST_SIDE;
use crate::number::power_of_ten;

/// Returns the unit of all sizes in a picture with these bounds.
pub(crate) fn unit(bounds: Rect) -> f64 {
    (bounds.width() / 900.0).min(bounds.height() / 675.0)
}

/// Returns `text` and its size, made smaller, or shortened in its middle by an ellipsis, until it
/// is at most `room` pixels wide.
///
/// Names of runs often differ at their ends only.
pub(crate) fn fitted(text: &str, size: f64, room: f64) -> (String, f64) {
    let width = font::width(text, size);
    if width <= room {
        return (text.to_owned(), size);
    }
    let size = size * (room / width).clamp(0.7, 1.0) * 0.99;
    if font::width(text, size) <= room {
        return (text.to_owned(), size);
    }
    let letters: Vec<char> = text.chars().collect();
    // A text is cut to what can fit before it is measured letter by letter.
    let mut kept = letters.len().min(400);
    loop {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head: String = letters[..head].iter().collect();
        let tail: String = letters[letters.len() - tail..].iter().collect();
        let short = format!("{}…{}", head.trim_end(), tail.trim_start());
        if kept == 0 || font::width(&short, size) <= room {
            return (short, size);
        }
        kept -= 1;
    }
}

/// Rounds a length up to whole pixels. What is too long for a picture stays so.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a little over the largest side"
)]
pub(crate) fn pixels(length: f64) -> u32 {
    length.ceil().clamp(0.0, f64::from(LARGEST_SIDE) + 1.0) as u32
}

/// Returns the width of the widest label.
pub(crate) fn widest(ticks: &Ticks, size: f64) -> f64 {
    let widths = ticks.labels.iter().map(|label| font::width(label, size));
    widths.fold(0.0, f64::max)
}

/// Counts the labels, `each` pixels high, that fit into `room`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a handful"
)]
pub(crate) fn ticks_that_fit(room: f64, each: f64) -> usize {
    (room / each).clamp(2.0, 8.0) as usize
}

/// Returns `name` with the number that was subtracted from the labels, or the power of ten that
/// they were divided by.
pub(crate) fn as_labelled(name: &str, ticks: &Ticks) -> String {
    match (&ticks.offset, ticks.power) {
        (Some(offset), _) => match offset.strip_prefix('−') {
            Some(size) => format!("{name} + {size}"),
            None => format!("{name} − {offset}"),
        },
        (None, Some(power)) => format!("{name} / {}", power_of_ten(1, power)),
        (None, None) => name.to_owned(),
    }
}

/// Tells whether the labels along an axis of `room` pixels leave room between them.
pub(crate) fn stand_apart(ticks: &Ticks, axis: Axis, room: f64, size: f64) -> bool {
    let mut end = f64::NEG_INFINITY;
    for (value, label) in ticks.at.iter().zip(&ticks.labels) {
        let (center, half) = (axis.unit(*value) * room, font::width(label, size) / 2.0);
        if center - half < end + 0.6 * size {
            return false;
        }
        end = center + half;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_loses_its_middle() {
        let (text, size) = fitted("quickstart/seed-1/sam", 30.0, 1000.0);
        assert_eq!((text.as_str(), size), ("quickstart/seed-1/sam", 30.0));
        let long = format!("{}{}", "experiment/".repeat(30), "seed-4");
        let (text, size) = fitted(&long, 30.0, 300.0);
        assert!(text.starts_with("experi") && text.ends_with("seed-4") && text.contains('…'));
        assert!(font::width(&text, size) <= 300.0);
    }
}
