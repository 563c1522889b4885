//! A drawing that is written as SVG: rectangles, areas, strokes, discs and texts.

pub(crate) mod font;
pub(crate) mod geometry;
mod lettering;
mod path;
pub(crate) mod raster;

use std::fmt::Write as _;

pub(crate) use lettering::{Align, Lettering};
pub(crate) use path::Path;

use crate::color::{Color, HATCH, Style, VIRIDIS_STOPS, WHITE, viridis};
use crate::{Error, LARGEST_SIDE, Picture, SMALLEST_SIDE};
use font::{BOLDER, CAPITAL, EM};
use geometry::{Point, Rect};
use path::pixels;

/// How the ends of a stroke look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Half a disc beyond each end.
    Round,
    /// Cut at the ends.
    Cut,
}

/// An SVG document in the making. What is drawn later lies on top.
pub(crate) struct Drawing {
    width: u32,
    height: u32,
    body: String,
}

/// Shapes that pictures refer to by name. Equal names mean equal shapes, so that several pictures
/// can stand in one web page.
const HATCHING: &str = "pictures-hatching";
const MAP: &str = "pictures-viridis";
/// The side of a tile of the hatching, in pixels, and the width of a dark stripe along a side.
const TILE: u32 = 12;
const STRIPE: u32 = 4;

impl Drawing {
    /// Begins a drawing on a white ground.
    pub(crate) fn new(width: u32, height: u32) -> Result<Self, Error> {
        let sides = SMALLEST_SIDE..=LARGEST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Error::PictureSize { width, height });
        }
        let mut drawing = Self {
            width,
            height,
            body: String::new(),
        };
        drawing.fill(drawing.bounds(), WHITE);
        Ok(drawing)
    }

    pub(crate) fn bounds(&self) -> Rect {
        Rect::of_size(f64::from(self.width), f64::from(self.height))
    }

    /// Ends the drawing. `title` is read out by screen readers.
    pub(crate) fn into_picture(self, title: &str) -> Picture {
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" \
             font-family=\"'{}', Verdana, sans-serif\">\n",
            font::FAMILY
        );
        if !title.is_empty() {
            svg += &format!("<title>{}</title>\n", escaped(title));
        }
        let definitions = [(HATCHING, hatching as fn() -> String), (MAP, map)];
        for (name, definition) in definitions {
            if self.body.contains(&format!("url(#{name})")) {
                svg += &format!("<defs>{}</defs>\n", definition());
            }
        }
        svg += &self.body;
        svg += "</svg>\n";
        Picture::drawn(svg, width, height)
    }

    /// Fills a rectangle, to whole pixels.
    pub(crate) fn fill(&mut self, rect: Rect, color: Color) {
        self.filled(rect, &hex(color));
    }

    /// Hatches a rectangle in grey: there is no value.
    pub(crate) fn hatch(&mut self, rect: Rect) {
        self.filled(rect, &format!("url(#{HATCHING})"));
    }

    /// Fills a rectangle with the map of colours, from the least value at its bottom to the
    /// largest at its top.
    pub(crate) fn fill_with_map(&mut self, rect: Rect) {
        self.filled(rect, &format!("url(#{MAP})"));
    }

    fn filled(&mut self, rect: Rect, paint: &str) {
        self.element(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{paint}\" \
             shape-rendering=\"crispEdges\"/>",
            pixels(rect.left),
            pixels(rect.top),
            pixels(rect.width().max(0.0)),
            pixels(rect.height().max(0.0)),
        ));
    }

    /// Draws the outline of `rect` outside it, `thickness` pixels wide.
    pub(crate) fn outline(&mut self, rect: Rect, thickness: f64, color: Color) {
        let line = rect.grown(thickness / 2.0);
        self.element(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{}\" \
             stroke-width=\"{}\" shape-rendering=\"crispEdges\"/>",
            pixels(line.left),
            pixels(line.top),
            pixels(line.width()),
            pixels(line.height()),
            hex(color),
            pixels(thickness),
        ));
    }

    /// Fills the areas of `path`. Where they overlap an even number of times nothing is filled.
    pub(crate) fn area(&mut self, path: Path, color: Color) {
        self.shape(path, color, "");
    }

    /// Fills the areas of `path` to whole pixels, so that areas side by side leave no seam.
    pub(crate) fn crisp_area(&mut self, path: Path, color: Color) {
        self.shape(path, color, " shape-rendering=\"crispEdges\"");
    }

    fn shape(&mut self, path: Path, color: Color, more: &str) {
        let data = path.into_data();
        if !data.is_empty() {
            self.element(format_args!(
                "<path d=\"{data}\" fill=\"{}\" fill-rule=\"evenodd\"{more}/>",
                hex(color)
            ));
        }
    }

    /// Strokes the lines of `path`, `width` pixels wide.
    pub(crate) fn stroke(&mut self, path: Path, width: f64, color: Color, ends: Ends) {
        self.stroked(path, width, color, ends, &[]);
    }

    /// Strokes the line through `points` in a style whose dashes are measured in `unit`.
    pub(crate) fn line(&mut self, points: &[Point], style: Style, width: f64, unit: f64) {
        let dashes: Vec<f64> = style.dashes.iter().map(|length| length * unit).collect();
        let mut path = Path::new();
        path.line(points);
        self.stroked(path, width, style.color, Ends::Round, &dashes);
    }

    fn stroked(&mut self, path: Path, width: f64, color: Color, ends: Ends, dashes: &[f64]) {
        let data = path.into_data();
        if data.is_empty() {
            return;
        }
        let ends = match ends {
            Ends::Round => " stroke-linecap=\"round\" stroke-linejoin=\"round\"",
            Ends::Cut => "",
        };
        let dashes: Vec<String> = dashes.iter().map(|length| pixels(*length)).collect();
        let dashes = if dashes.is_empty() {
            String::new()
        } else {
            format!(" stroke-dasharray=\"{}\"", dashes.join(" "))
        };
        self.element(format_args!(
            "<path d=\"{data}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{ends}{dashes}/>",
            hex(color),
            pixels(width),
        ));
    }

    /// Draws a filled disc.
    pub(crate) fn disc(&mut self, (x, y): Point, radius: f64, color: Color) {
        if x.is_finite() && y.is_finite() {
            self.element(format_args!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>",
                pixels(x),
                pixels(y),
                pixels(radius),
                hex(color),
            ));
        }
    }

    /// Writes `text` at a point.
    pub(crate) fn text(&mut self, text: &str, (x, y): Point, style: Lettering) {
        if text.trim().is_empty() {
            return;
        }
        let anchor = match style.along {
            Align::Start => "",
            Align::Middle => " text-anchor=\"middle\"",
            Align::End => " text-anchor=\"end\"",
        };
        // From the point to the baseline, which whole pixels keep sharp.
        let share = match style.across {
            Align::Start => 1.0,
            Align::Middle => 0.5,
            Align::End => 0.0,
        };
        let down = (share * CAPITAL * style.size).round();
        let (x, y) = (x.round(), y.round());
        let place = if style.upwards {
            format!(
                "transform=\"translate({} {})rotate(-90)\"",
                pixels(x + down),
                pixels(y)
            )
        } else {
            format!("x=\"{}\" y=\"{}\"", pixels(x), pixels(y + down))
        };
        let color = hex(style.color);
        self.element(format_args!(
            "<text {place} font-size=\"{}\"{anchor} fill=\"{color}\" stroke=\"{color}\" \
             stroke-width=\"{}\">{}</text>",
            pixels(EM * style.size),
            pixels(BOLDER * style.size),
            escaped(text),
        ));
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("a String takes all that is written to it");
    }
}

/// Returns the stripes for what is not finite: those of the points (x, y) for which x + y leaves
/// less than four when divided by twelve.
fn hatching() -> String {
    let [light, dark] = HATCH.map(hex);
    let (side, stripe) = (TILE, STRIPE);
    format!(
        "<pattern id=\"{HATCHING}\" width=\"{side}\" height=\"{side}\" \
         patternUnits=\"userSpaceOnUse\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"{light}\"/>\
         <path d=\"M0 0h{stripe}L0 {stripe}zM{side} 0v{stripe}L{stripe} {side}H0z\" \
         fill=\"{dark}\"/></pattern>"
    )
}

/// Returns the map of colours from bottom to top.
fn map() -> String {
    let mut text = format!("<linearGradient id=\"{MAP}\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">");
    for stop in 0..=VIRIDIS_STOPS {
        let share = f64::from(stop) / f64::from(VIRIDIS_STOPS);
        text += &format!(
            "<stop offset=\"{share}\" stop-color=\"{}\"/>",
            hex(viridis(share))
        );
    }
    text + "</linearGradient>"
}

fn hex([red, green, blue]: Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Returns `text` as XML has it. Characters that XML cannot hold become the sign for such.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::color::INK;

    /// The pixels of a picture, for tests of what is drawn.
    pub(crate) struct Pixels(resvg::tiny_skia::Pixmap);

    impl Pixels {
        pub(crate) fn of(picture: &Picture) -> Self {
            let (width, height) = (picture.width(), picture.height());
            Self(raster::pixels(picture.svg(), width, height).unwrap())
        }

        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a pixel of the picture"
        )]
        pub(crate) fn at(&self, (x, y): Point) -> Color {
            let pixel = self.0.pixel(x as u32, y as u32).unwrap();
            [pixel.red(), pixel.green(), pixel.blue()]
        }
    }

    fn drawn(draw: impl FnOnce(&mut Drawing)) -> Pixels {
        let mut drawing = Drawing::new(300, 300).unwrap();
        draw(&mut drawing);
        Pixels::of(&drawing.into_picture(""))
    }

    #[test]
    fn a_stroke_is_as_wide_as_asked() {
        let pixels = drawn(|drawing| {
            let mut path = Path::new();
            path.line(&[(50.0, 100.0), (200.0, 100.0)]);
            drawing.stroke(path, 4.0, [0, 0, 0], Ends::Cut);
        });
        // Rows 98 to 101, columns 50 to 199.
        for (x, y, color) in [
            (50.5, 98.5, [0; 3]),
            (199.5, 101.5, [0; 3]),
            (100.5, 97.5, WHITE),
            (100.5, 102.5, WHITE),
            (49.5, 100.5, WHITE),
            (200.5, 100.5, WHITE),
        ] {
            assert_eq!(pixels.at((x, y)), color, "({x}, {y})");
        }
    }

    #[test]
    fn hatching_has_both_greys_and_nothing_else_but_their_mixtures() {
        let pixels = drawn(|drawing| drawing.hatch(Rect::of_size(300.0, 300.0)));
        let [light, dark] = HATCH;
        let mut seen = [false; 2];
        for x in 0..300 {
            let color = pixels.at((f64::from(x), 150.0));
            assert!(color.iter().all(|c| (dark[0]..=light[0]).contains(c)));
            seen = [seen[0] | (color == light), seen[1] | (color == dark)];
        }
        assert_eq!(seen, [true; 2]);
    }

    #[test]
    fn the_map_of_colours_grows_from_the_bottom_to_the_top() {
        let pixels = drawn(|drawing| drawing.fill_with_map(Rect::of_size(300.0, 300.0)));
        for row in [0, 1, 75, 150, 225, 299] {
            let share = 1.0 - (f64::from(row) + 0.5) / 300.0;
            let found = pixels.at((10.0, f64::from(row)));
            for (found, wanted) in found.into_iter().zip(viridis(share)) {
                assert!(found.abs_diff(wanted) <= 2, "row {row}");
            }
        }
    }

    /// The rows and columns between which there is ink.
    fn inked(pixels: &Pixels) -> [i32; 4] {
        let is_ink = |x: i32, y: i32| pixels.at((f64::from(x), f64::from(y)))[0] < 145;
        let any = |line: &dyn Fn(i32, i32) -> bool| {
            let mut hits = (0..300).filter(|k| (0..300).any(|other| line(*k, other)));
            let first = hits.next().unwrap();
            (first, hits.last().unwrap_or(first))
        };
        let (top, bottom) = any(&|y, x| is_ink(x, y));
        let (left, right) = any(&|x, y| is_ink(x, y));
        [left, top, right, bottom]
    }

    #[test]
    fn a_capital_reaches_from_the_baseline_to_its_stated_height() {
        let style = Lettering::new(60.0, Align::Start, Align::End);
        let pixels = drawn(|drawing| drawing.text("H", (100.0, 200.0), style));
        let [_, top, _, bottom] = inked(&pixels);
        // The stroke adds half of its width at either end; a pixel of rounding.
        assert!(bottom.abs_diff(199) <= 1, "{bottom}");
        let height = f64::from(bottom - top + 1);
        assert!(
            (height - (CAPITAL + BOLDER) * 60.0).abs() <= 1.5,
            "{height}"
        );
    }

    #[test]
    fn alignment_says_which_part_of_a_text_lies_at_its_point() {
        for (along, across) in [
            (Align::Start, Align::Start),
            (Align::Middle, Align::Middle),
            (Align::End, Align::End),
        ] {
            for upwards in [false, true] {
                let mut style = Lettering::new(40.0, along, across);
                style.upwards = upwards;
                let pixels = drawn(|drawing| drawing.text("HHH", (150.0, 150.0), style));
                let [left, top, right, bottom] = inked(&pixels);
                // From the point, in the direction of writing and downwards from it.
                let (start, end, high, low) = if upwards {
                    (150 - bottom, 150 - top, left - 150, right - 150)
                } else {
                    (left - 150, right - 150, top - 150, bottom - 150)
                };
                let middle = |from: i32, to: i32| f64::from(from + to) / 2.0;
                let (along_at, across_at) = match along {
                    Align::Start => (f64::from(start), f64::from(high)),
                    Align::Middle => (middle(start, end), middle(high, low)),
                    Align::End => (f64::from(end), f64::from(low)),
                };
                // The side bearing of an H is a tenth of the size.
                assert!(along_at.abs() <= 5.0, "{along:?} {upwards}: {along_at}");
                assert!(across_at.abs() <= 2.0, "{across:?} {upwards}: {across_at}");
            }
        }
    }

    #[test]
    fn texts_of_any_letters_give_a_document_that_can_be_read() {
        let odd = "a<b & \"c\" > 'd' \u{0}\u{1b}\u{ffff} ]]> \u{202e}عربي 🙂";
        let mut drawing = Drawing::new(300, 300).unwrap();
        drawing.text(
            odd,
            (10.0, 50.0),
            Lettering::new(20.0, Align::Start, Align::End),
        );
        let picture = drawing.into_picture(odd);
        assert!(picture.svg().contains("a&lt;b &amp; "));
        assert!(Picture::from_svg(picture.svg()).is_ok());
        assert!(Pixels::of(&picture).at((0.0, 0.0)) == WHITE);
    }

    #[test]
    fn no_picture_depends_on_the_fonts_of_the_machine() {
        let style = Lettering::new(40.0, Align::Start, Align::End);
        let text = drawn(|drawing| drawing.text("Loss λ", (10.0, 100.0), style));
        let row = (0..300).map(|x| text.at((f64::from(x), 90.0)));
        assert!(row.into_iter().any(|color| color == INK));
    }

    #[test]
    fn sizes_outside_the_limits_are_errors() {
        for (width, height) in [(10, 400), (400, u32::MAX)] {
            let refused = Drawing::new(width, height).err();
            assert!(matches!(refused, Some(Error::PictureSize { .. })));
        }
    }
}
