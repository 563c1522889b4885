//! Pictures that stand in a page: drawn ones as they are, with the colours of both themes, and PNG
//! files as data addresses.

use pictures::Picture;

use super::html::{attribute, base64};

/// A picture of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Image {
    /// One that was drawn in this process.
    Drawn(Picture),
    /// The bytes of a PNG file.
    Png(Vec<u8>),
    /// The text of an SVG file.
    Svg(String),
}

impl Image {
    /// Returns the element that shows the picture.
    pub(super) fn html(&self, alternative: &str) -> String {
        let (kind, bytes) = match self {
            Self::Drawn(picture) => ("svg+xml", picture.svg().as_bytes()),
            Self::Png(bytes) => ("png", bytes.as_slice()),
            Self::Svg(text) => ("svg+xml", text.as_bytes()),
        };
        format!(
            "<img class=\"paper\" loading=\"lazy\" alt=\"{}\" src=\"data:image/{kind};base64,{}\">",
            attribute(alternative),
            base64(bytes)
        )
    }
}

/// The colours that drawn pictures have on light and on dark ground, of a whole page.
#[derive(Debug, Default)]
pub(super) struct Colours(Vec<(String, String)>);

impl Colours {
    /// Returns one drawing for both themes: two that differ in their colours alone become one whose
    /// colours are variables of the page. `number` makes the names within the drawing its own.
    ///
    /// Drawings that differ in more are shown as the light one.
    pub(super) fn both(&mut self, light: &str, dark: &str, number: usize) -> String {
        let (of_light, of_dark) = (pieces(light), pieces(dark));
        let same = of_light.len() == of_dark.len()
            && of_light
                .iter()
                .zip(&of_dark)
                .all(|(one, other)| one == other || (is_colour(one) && is_colour(other)));
        let mut drawing = String::with_capacity(light.len());
        for (index, piece) in of_light.iter().enumerate() {
            match of_dark.get(index) {
                Some(other) if same && other != piece => {
                    drawing += &format!("var(--p{})", self.number(piece, other));
                }
                _ => drawing += piece,
            }
        }
        drawing
            .replace("id=\"pictures-", &format!("id=\"p{number}-"))
            .replace("url(#pictures-", &format!("url(#p{number}-"))
            .replace("href=\"#pictures-", &format!("href=\"#p{number}-"))
    }

    fn number(&mut self, light: &str, dark: &str) -> usize {
        let pair = (light.to_owned(), dark.to_owned());
        let found = self.0.iter().position(|other| *other == pair);
        found.unwrap_or_else(|| {
            self.0.push(pair);
            self.0.len() - 1
        })
    }

    /// Returns the declarations of the variables: those of light ground, and those of dark.
    pub(super) fn declarations(&self) -> (String, String) {
        let declare = |of: fn(&(String, String)) -> &String| -> String {
            let pairs = self.0.iter().enumerate();
            pairs
                .map(|(number, pair)| format!("--p{number}:{};", of(pair)))
                .collect()
        };
        (declare(|pair| &pair.0), declare(|pair| &pair.1))
    }
}

/// Returns a text cut into its colours, such as `#0072b2`, and what lies between.
fn pieces(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(offset) = rest[from..].find('#') {
        let start = from + offset;
        match rest.get(start..start + 7) {
            Some(colour) if is_colour(colour) => {
                found.push(&rest[..start]);
                found.push(colour);
                rest = &rest[start + 7..];
                from = 0;
            }
            _ => from = start + 1,
        }
    }
    found.push(rest);
    found
}

fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#');
    digits.is_some_and(|d| d.len() == 6 && d.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_that_differ_in_colours_become_one() {
        let mut colours = Colours::default();
        let light = "<a fill=\"#ffffff\"/><b fill=\"#010203\" id=\"pictures-m\"/>";
        let dark = "<a fill=\"#000000\"/><b fill=\"#010203\" id=\"pictures-m\"/>";
        let both = colours.both(light, dark, 3);
        assert_eq!(
            both,
            "<a fill=\"var(--p0)\"/><b fill=\"#010203\" id=\"p3-m\"/>"
        );
        assert_eq!(
            colours.declarations(),
            ("--p0:#ffffff;".to_owned(), "--p0:#000000;".to_owned())
        );
    }

    #[test]
    fn drawings_that_differ_in_more_are_the_light_one() {
        let mut colours = Colours::default();
        assert_eq!(
            colours.both(
                "<a c=\"#ffffff\" x=\"1\"/>",
                "<a c=\"#000000\" x=\"2\"/>",
                0
            ),
            "<a c=\"#ffffff\" x=\"1\"/>"
        );
        assert_eq!(colours.declarations().0, "");
    }
}
