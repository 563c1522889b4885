//! Numbers and lists in sentences.

/// Returns `value` to `digits` significant digits, with an exponent where it reads better.
pub(crate) fn number(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let exponent = scientific.split_once('e').map(|(_, power)| power);
    let exponent: i32 = exponent
        .and_then(|power| power.parse().ok())
        .unwrap_or_default();
    if !(-3..6).contains(&exponent) {
        return scientific;
    }
    let decimals = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent;
    // Digits before the point that are not significant are zeros: 1,234 to two digits is 1,200.
    let rounded: f64 = scientific.parse().unwrap_or(value);
    format!("{rounded:.*}", usize::try_from(decimals).unwrap_or(0))
}

/// Returns a share as a percentage.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", number(100.0 * share, 2))
}

/// Breaks `text` into lines of at most `width` characters, those after the first indented.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}
