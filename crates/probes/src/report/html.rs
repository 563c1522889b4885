//! Texts that are safe in a page, whatever they contain.

use serde_json::Value as Json;

/// Returns a text in which nothing is markup.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            // Characters that HTML does not allow, and a terminal's escapes.
            '\t' | '\n' => safe.push(character),
            other if other.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// Returns a text as the value of an attribute in quotes.
pub(super) fn attribute(text: &str) -> String {
    escape(text)
}

/// Returns JSON as the content of a script element, which no text in it can end: `<`, `>` and `&`
/// are written as escapes, and so are the two line ends that JSON allows in texts and JavaScript
/// did not.
pub(super) fn script_json(value: &Json) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Returns a number with as many digits as a reader needs.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "−inf" }.to_owned();
    }
    pictures::significant(value, 4).replace('-', "−")
}

/// Returns bytes in the letters of base 64 (RFC 4648, section 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |k: usize| u32::from(three.get(k).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for k in 0..4_usize {
            if k <= three.len() {
                let index = (bits >> (18 - 6 * k)) & 63;
                text.push(char::from(LETTERS[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn base64_has_the_vectors_of_the_standard() {
        // RFC 4648, section 10.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[251, 255]), "+/8=");
    }

    #[test]
    fn markup_is_text_and_scripts_cannot_be_ended() {
        assert_eq!(
            escape("<b a='\"'>&\u{1b}"),
            "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}"
        );
        let json = script_json(&json!({"name": "</script><!--\u{2028}&"}));
        assert_eq!(
            json,
            "{\"name\":\"\\u003c/script\\u003e\\u003c!--\\u2028\\u0026\"}"
        );
        let back: Json = serde_json::from_str(&json).unwrap();
        assert_eq!(back["name"], "</script><!--\u{2028}&");
    }
}
