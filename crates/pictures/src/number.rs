//! Numbers as a reader expects them: `0.25`, `−12`, `3.1×10⁻⁵`.

/// Writes `value` with `digits` significant digits: as a decimal from 10⁻³ up to 10⁵, and with a
/// power of ten outside. Zeros at the end of a fraction are left out, and the minus is `−`.
///
/// # Examples
/// ```
/// use pictures::significant;
///
/// assert_eq!(significant(-0.25, 3), "−0.25");
/// assert_eq!(significant(3.14159e-5, 3), "3.14×10⁻⁵");
/// assert_eq!(significant(f64::INFINITY, 3), "∞");
/// ```
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "scientific notation has a small exponent, whatever the value"
)]
pub fn significant(value: f64, digits: usize) -> String {
    // An f64 has at most 17 digits that mean something.
    let digits = digits.clamp(1, 17);
    if value.is_nan() {
        return "NaN".into();
    } else if value.is_infinite() {
        return if value > 0.0 {
            "∞".into()
        } else {
            "−∞".into()
        };
    } else if value == 0.0 {
        return "0".into();
    }
    // Rust's own scientific formatting rounds correctly, so the exponent after rounding is read
    // from it.
    let scientific = format!("{:.*e}", digits - 1, value.abs());
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("scientific notation has an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a small integer");
    let sign = if value < 0.0 { "−" } else { "" };
    if (-3..5).contains(&exponent) {
        // 12345 with three digits has no decimals: it is not rounded to 12300.
        let digits = i32::try_from(digits).expect("at most 17");
        let decimals = usize::try_from((digits - 1 - exponent).max(0)).expect("not negative");
        format!(
            "{sign}{}",
            trimmed(&format!("{:.*}", decimals, value.abs()))
        )
    } else {
        format!("{sign}{}×10{}", trimmed(mantissa), superscript(exponent))
    }
}

/// Writes `value` with exactly `decimals` decimals.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.*}", decimals, value.abs());
    // A rounded zero has no sign.
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if value < 0.0 && !is_zero {
        format!("−{text}")
    } else {
        text
    }
}

/// Writes `10ᵏ`, or `m×10ᵏ`.
pub(crate) fn power_of_ten(multiple: u32, exponent: i32) -> String {
    if multiple == 1 {
        format!("10{}", superscript(exponent))
    } else {
        format!("{multiple}×10{}", superscript(exponent))
    }
}

/// Drops the zeros that end a decimal fraction.
fn trimmed(decimal: &str) -> &str {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.')
    } else {
        decimal
    }
}

fn superscript(exponent: i32) -> String {
    exponent
        .to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            '9' => '⁹',
            '0' => '⁰',
            other => unreachable!("{other} in an integer"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_expected() {
        for (value, digits, text) in [
            (0.25, 3, "0.25"),
            (-12.0, 3, "−12"),
            (3.14159e-5, 3, "3.14×10⁻⁵"),
            (123_456.0, 3, "1.23×10⁵"),
            (99_999.9, 3, "1×10⁵"),
            (12_345.0, 3, "12345"),
            (0.0, 3, "0"),
            (1e300, 3, "1×10³⁰⁰"),
            (f64::NAN, 3, "NaN"),
            (f64::NEG_INFINITY, 3, "−∞"),
        ] {
            assert_eq!(significant(value, digits), text);
        }
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(-0.5, 1), "−0.5");
        assert_eq!(power_of_ten(1, -12), "10⁻¹²");
        assert_eq!(power_of_ten(2, 0), "2×10⁰");
    }
}
