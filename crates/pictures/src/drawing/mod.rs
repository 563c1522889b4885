//! A drawing that is written as SVG: rectangles, areas, strokes, discs and texts.

pub(crate) mod font;
pub(crate) mod geometry;
mod lettering;
mod path;
pub(crate) mod raster;

use std::fmt::Write as _;

pub(crate) use lettering::{Align, Lettering};
pub(crate) use path::Path;

use crate::color::{Color, Style, VIRIDIS_STOPS, viridis};
use crate::error::{Error, LARGEST_SIDE, SMALLEST_SIDE};
use crate::theme::Theme;
use font::{BOLDER, CAPITAL, EM};
use geometry::{Point, Rect};
use path::pixels;

/// The shape of the ends of a stroke.
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
    theme: Theme,
    body: String,
}

/// Shapes that pictures refer to by name. Equal names mean equal shapes, so that several pictures
/// can stand in one web page.
const HATCHING: [&str; 2] = ["pictures-hatching", "pictures-hatching-dark"];
const MAP: &str = "pictures-viridis";
/// The side of a tile of the hatching, in pixels, and the width of a dark stripe along a side.
const TILE: u32 = 12;
const STRIPE: u32 = 4;

impl Drawing {
    /// Begins a drawing on the ground of `theme`.
    pub(crate) fn new(width: u32, height: u32, theme: Theme) -> Result<Self, Error> {
        let sides = SMALLEST_SIDE..=LARGEST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Error::PictureSize { width, height });
        }
        let mut drawing = Self {
            width,
            height,
            theme,
            body: String::new(),
        };
        drawing.fill(drawing.bounds(), theme.palette().ground);
        Ok(drawing)
    }

    pub(crate) fn theme(&self) -> Theme {
        self.theme
    }

    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    pub(crate) fn height(&self) -> u32 {
        self.height
    }

    pub(crate) fn bounds(&self) -> Rect {
        Rect::of_size(f64::from(self.width), f64::from(self.height))
    }

    /// Returns an empty drawing of the same size and theme, to be laid over this one by
    /// [`append`](Self::append).
    pub(crate) fn beginning_again(&self) -> Self {
        Self {
            body: String::new(),
            ..*self
        }
    }

    /// Lays `other` over this drawing.
    pub(crate) fn append(&mut self, other: Self) {
        self.body += &other.body;
    }

    /// Places a finished document at a point.
    pub(crate) fn nest(&mut self, svg: &str, (x, y): Point) {
        // What may stand before the root element, such as a declaration, has no place inside.
        let root = svg.find("<svg").unwrap_or(0);
        self.element(format_args!(
            "<g transform=\"translate({} {})\">",
            pixels(x),
            pixels(y)
        ));
        self.body += &svg[root..];
        self.element(format_args!("</g>"));
    }

    /// Ends the document. `title` is read out by screen readers.
    pub(crate) fn into_svg(self, title: &str) -> String {
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
        for (name, definition) in definitions() {
            if self.body.contains(&format!("url(#{name})")) {
                svg += &format!("<defs>{definition}</defs>\n");
            }
        }
        svg += &self.body;
        svg += "</svg>\n";
        svg
    }

    /// Fills a rectangle, to whole pixels.
    pub(crate) fn fill(&mut self, rect: Rect, color: Color) {
        self.filled(rect, &hex(color));
    }

    /// Hatches a rectangle in grey: there is no value.
    pub(crate) fn hatch(&mut self, rect: Rect) {
        self.filled(rect, &format!("url(#{})", hatching_name(self.theme)));
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
    pub(crate) fn text(&mut self, text: &str, at: Point, style: Lettering) {
        self.written(text, at, style, None);
    }

    /// Writes `text` at a point with a border of another colour around the letters.
    pub(crate) fn text_with_halo(&mut self, text: &str, at: Point, style: Lettering, halo: Color) {
        self.written(text, at, style, Some(halo));
        self.written(text, at, style, None);
    }

    fn written(&mut self, text: &str, (x, y): Point, style: Lettering, halo: Option<Color>) {
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
        let place = if style.angle == 0.0 {
            format!("x=\"{}\" y=\"{}\"", pixels(x), pixels(y + down))
        } else {
            let (sin, cos) = style.angle.to_radians().sin_cos();
            format!(
                "transform=\"translate({} {})rotate({})\"",
                pixels(x - sin * down),
                pixels(y + cos * down),
                pixels(style.angle)
            )
        };
        let color = style.color.unwrap_or(self.theme.palette().ink);
        let color = hex(halo.unwrap_or(color));
        let (stroke, joins) = match halo {
            Some(_) => (6.0 * BOLDER, " stroke-linejoin=\"round\""),
            None => (BOLDER, ""),
        };
        self.element(format_args!(
            "<text {place} font-size=\"{}\"{anchor} fill=\"{color}\" stroke=\"{color}\" \
             stroke-width=\"{}\"{joins}>{}</text>",
            pixels(EM * style.size),
            pixels(stroke * style.size),
            escaped(text),
        ));
    }

    /// Begins the cells of a surface. Each is stroked in its own colour, so that no seam shows
    /// between two.
    pub(crate) fn begin_cells(&mut self, unit: f64) {
        let width = pixels((1.2 * unit).max(0.7));
        self.element(format_args!(
            "<g fill=\"none\" stroke-width=\"{width}\" stroke-linejoin=\"round\" \
             stroke-linecap=\"round\">"
        ));
    }

    /// Draws a cell of a surface.
    pub(crate) fn cell(&mut self, outline: &[Point], color: Color) {
        let mut path = Path::coarse();
        path.area(outline);
        let (data, color) = (path.into_data(), hex(color));
        if !data.is_empty() {
            self.element(format_args!(
                "<path d=\"{data}\" fill=\"{color}\" stroke=\"{color}\"/>"
            ));
        }
    }

    /// Draws lines on a cell.
    pub(crate) fn cell_line(&mut self, path: Path, color: Color) {
        let data = path.into_data();
        if !data.is_empty() {
            let color = hex(color);
            self.element(format_args!("<path d=\"{data}\" stroke=\"{color}\"/>"));
        }
    }

    /// Ends the cells of a surface.
    pub(crate) fn end_cells(&mut self) {
        self.element(format_args!("</g>"));
    }

    /// Hatches the areas of `path`: there is no value.
    pub(crate) fn hatch_area(&mut self, path: Path) {
        let data = path.into_data();
        if !data.is_empty() {
            let name = hatching_name(self.theme);
            self.element(format_args!(
                "<path d=\"{data}\" fill=\"url(#{name})\" shape-rendering=\"crispEdges\"/>"
            ));
        }
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("a String takes all that is written to it");
    }
}

/// Returns the shapes that pictures refer to, each with its name.
fn definitions() -> [(&'static str, String); 3] {
    let hatchings =
        [Theme::Light, Theme::Dark].map(|theme| (hatching_name(theme), hatching(theme)));
    let [light, dark] = hatchings;
    [light, dark, (MAP, map())]
}

fn hatching_name(theme: Theme) -> &'static str {
    HATCHING[usize::from(theme == Theme::Dark)]
}

/// Returns the stripes for what is not finite: those of the points (x, y) for which x + y leaves
/// less than four when divided by twelve.
fn hatching(theme: Theme) -> String {
    let [light, dark] = theme.palette().hatch.map(hex);
    let (name, side, stripe) = (hatching_name(theme), TILE, STRIPE);
    format!(
        "<pattern id=\"{name}\" width=\"{side}\" height=\"{side}\" \
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
pub(crate) mod tests;
