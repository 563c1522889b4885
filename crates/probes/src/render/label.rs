//! Labels in the room there is: shortened texts, and as many ticks as fit.

use super::axis::{Axis, Ticks};
use super::font;
use super::geometry::Rect;
use super::number::power_of_ten;
use crate::Error;

/// The unit of all sizes in a picture with these bounds.
pub(crate) fn unit(bounds: Rect) -> f64 {
    (bounds.width() / 900.0).min(bounds.height() / 675.0)
}

/// `text` at `size`, made smaller, or shortened in its middle by an ellipsis, until it is at most `room` pixels wide.
///
/// Names of runs often differ at their ends only.
pub(crate) fn fitted(text: &str, size: f64, room: f64) -> Result<(String, f64), Error> {
    let width = font::width(text, size)?;
    if width <= room {
        return Ok((text.to_owned(), size));
    }
    let size = size * (room / width).clamp(0.7, 1.0) * 0.99;
    if font::width(text, size)? <= room {
        return Ok((text.to_owned(), size));
    }
    let letters: Vec<char> = text.chars().collect();
    // A text is cut to what can fit before it is measured letter by letter.
    let mut kept = letters.len().min(400);
    loop {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head: String = letters[..head].iter().collect();
        let tail: String = letters[letters.len() - tail..].iter().collect();
        let short = format!("{}…{}", head.trim_end(), tail.trim_start());
        if kept == 0 || font::width(&short, size)? <= room {
            return Ok((short, size));
        }
        kept -= 1;
    }
}

/// The width of the widest label.
pub(crate) fn widest(ticks: &Ticks, size: f64) -> Result<f64, Error> {
    ticks.labels.iter().try_fold(0.0_f64, |widest, label| {
        Ok(widest.max(font::width(label, size)?))
    })
}

/// How many labels `each` pixels high fit into `room`.
#[expect(clippy::cast_possible_truncation, reason = "clamped to a handful")]
pub(crate) fn ticks_that_fit(room: f64, each: f64) -> usize {
    (room / each).clamp(2.0, 8.0) as usize
}

/// `name` with the number that was subtracted from the labels, or the power of ten that they were divided by.
pub(crate) fn as_labelled(name: &str, ticks: &Ticks) -> String {
    match &ticks.offset {
        None if ticks.power.is_some() => {
            format!("{name} / {}", power_of_ten(1, ticks.power.unwrap_or(0)))
        }
        Some(offset) if offset.starts_with('−') => {
            format!("{name} + {}", offset.trim_start_matches('−'))
        }
        Some(offset) => format!("{name} − {offset}"),
        None => name.to_owned(),
    }
}

/// Whether the labels along an axis of `room` pixels leave room between them.
pub(crate) fn stand_apart(ticks: &Ticks, axis: Axis, room: f64, size: f64) -> Result<bool, Error> {
    let mut end = f64::NEG_INFINITY;
    for (value, label) in ticks.at.iter().zip(&ticks.labels) {
        let (center, half) = (axis.unit(*value) * room, font::width(label, size)? / 2.0);
        if center - half < end + 0.6 * size {
            return Ok(false);
        }
        end = center + half;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_loses_its_middle() {
        let (text, size) = fitted("quickstart/seed-1/sam", 30.0, 1000.0).unwrap();
        assert_eq!((text.as_str(), size), ("quickstart/seed-1/sam", 30.0));
        let long = format!("{}{}", "experiment/".repeat(30), "seed-4");
        let (text, size) = fitted(&long, 30.0, 300.0).unwrap();
        assert!(text.starts_with("experi") && text.ends_with("seed-4") && text.contains('…'));
        assert!(font::width(&text, size).unwrap() <= 300.0);
    }
}
