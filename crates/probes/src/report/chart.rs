//! A chart of curves: an SVG that stands by itself, and the numbers with which the page's script
//! shows values under the pointer.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::axis::{Axis, label};
use super::html::{attribute, escape};

/// The size of a chart, and the room around its frame.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 28.0;
/// Series with at most so many points have a dot at each.
const FEW: usize = 16;
/// The points of all curves of a chart together, and the least of one curve.
const POINTS: usize = 4000;
const LEAST: usize = 40;
/// The most points of one curve: two for each column of pixels.
const MOST: usize = 700;

/// A curve.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    /// The name under the pointer.
    pub(super) name: String,
    /// The colour: the number of the run, or of the series.
    pub(super) colour: usize,
    /// The number of the run, by which a click in the legend finds it.
    pub(super) run: usize,
    /// The dashes: 0 whole, 1 dashed, 2 dotted, 3 both.
    pub(super) dash: usize,
    /// Whether the range of the values ignores the curve, as a threshold that leaves the frame.
    pub(super) aside: bool,
    /// The points in the order of x.
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Debug, Clone, Default)]
pub(super) struct Chart {
    pub(super) title: String,
    /// A sentence below the title.
    pub(super) about: String,
    /// What the horizontal axis shows.
    pub(super) x_name: String,
    /// Names of the dashes, in their order.
    pub(super) dashes: Vec<String>,
    /// Names of the colours, where they are not those of the runs.
    pub(super) colours: Vec<String>,
    pub(super) curves: Vec<Curve>,
    /// A horizontal line that means something, and its name.
    pub(super) mark: Option<(f64, String)>,
}

/// Draws a chart; `numbers` takes what the script needs.
pub(super) fn html(chart: &Chart, numbers: &mut Vec<Json>) -> String {
    let finite = |(_, y): &&(f64, f64)| y.is_finite();
    let ranged = chart.curves.iter().filter(|curve| !curve.aside);
    let x_values = chart
        .curves
        .iter()
        .flat_map(|c| c.points.iter().map(|p| p.0));
    let x = Axis::of(x_values, false, false);
    let within: Vec<f64> = ranged
        .flat_map(|curve| curve.points.iter().filter(finite).map(|p| p.1))
        .collect();
    let top = within.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // What is aside may extend the axis, but not by much.
    let aside = chart.curves.iter().filter(|curve| curve.aside);
    let near = aside
        .flat_map(|curve| curve.points.iter().map(|p| p.1))
        .chain(chart.mark.iter().map(|(value, _)| *value))
        .filter(|value| within.is_empty() || (*value <= 1.6 * top && *value >= 0.0));
    let near: Vec<f64> = near.collect();
    let y = Axis::of(within.iter().chain(&near).copied(), true, true);
    let frame = Frame { x, y };
    let most = (POINTS / chart.curves.len().max(1)).clamp(LEAST, MOST);

    let mut drawing = String::new();
    frame.draw(&chart.x_name, &mut drawing);
    if let Some((value, name)) = &chart.mark
        && (0.0..=1.0).contains(&y.place(*value))
    {
        let height = frame.at(x.low, *value).1;
        let (left, right) = (LEFT, WIDTH - RIGHT);
        let _ = write!(
            drawing,
            "<path class=\"mark\" d=\"M{left} {height:.1}H{right}\"/>\
             <text class=\"t\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            right - 4.0,
            // Below the line where there is no room above.
            if height < TOP + 14.0 {
                height + 13.0
            } else {
                height - 4.0
            },
            escape(name)
        );
    }
    let mut series = Vec::new();
    let (mut not_finite, mut thinned) = (0_usize, false);
    for curve in &chart.curves {
        let points = thin(&curve.points, most);
        thinned |= points.len() < curve.points.len();
        not_finite += curve.points.iter().filter(|p| !p.1.is_finite()).count();
        frame.curve(curve, &points, &mut drawing);
        let list = |of: fn(&(f64, f64)) -> f64| -> Json {
            points.iter().map(|point| rounded(of(point))).collect()
        };
        series.push(json!({
            "n": curve.name, "c": curve.colour, "r": curve.run,
            "x": list(|point| point.0), "y": list(|point| point.1),
        }));
    }
    let id = numbers.len();
    numbers.push(json!({
        "x": [x.low, x.high], "y": [y.low, y.high], "log": y.log,
        "frame": [LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM],
        "size": [WIDTH, HEIGHT], "name": chart.x_name, "series": series,
    }));
    let mut caption = vec![escape(&chart.about)];
    if y.log {
        caption.push("Logarithmic axis.".to_owned());
    }
    if not_finite > 0 {
        caption.push(format!(
            "<b>{not_finite} values are not finite</b>; × marks their steps."
        ));
    }
    if thinned {
        caption.push("Thinned; extremes are kept.".to_owned());
    }
    caption.retain(|sentence| !sentence.is_empty());
    format!(
        "<figure class=\"card chart\" data-chart=\"{id}\"><figcaption><h3>{}</h3>{}</figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">{drawing}</svg>\
         <p class=\"about\">{}</p></figure>",
        escape(&chart.title),
        keys(chart),
        attribute(&chart.title),
        caption.join(" ")
    )
}

/// Returns the names of dashes and of colours of its own.
fn keys(chart: &Chart) -> String {
    let mut keys = String::new();
    let sample = |classes: &str| {
        format!(
            "<svg class=\"key\" viewBox=\"0 0 26 8\"><path class=\"{classes}\" d=\"M1 4H25\"/></svg>"
        )
    };
    for (colour, name) in chart.colours.iter().enumerate() {
        let _ = write!(
            keys,
            "<span>{}{}</span>",
            sample(&format!("l c{} d{}", colour % COLOURS, colour / COLOURS)),
            escape(name)
        );
    }
    if chart.dashes.len() > 1 {
        for (dash, name) in chart.dashes.iter().enumerate() {
            let _ = write!(
                keys,
                "<span>{}{}</span>",
                sample(&format!("l ink d{dash}")),
                escape(name)
            );
        }
    }
    match keys.is_empty() {
        true => keys,
        false => format!("<div class=\"keys\">{keys}</div>"),
    }
}

/// Different colours; more runs share the colour of the others.
pub(super) const COLOURS: usize = 7;

struct Frame {
    x: Axis,
    y: Axis,
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let across = LEFT + self.x.place(x) * (WIDTH - LEFT - RIGHT);
        let up = HEIGHT - BOTTOM - self.y.place(y) * (HEIGHT - TOP - BOTTOM);
        (across, up.clamp(-HEIGHT, 2.0 * HEIGHT))
    }

    fn draw(&self, x_name: &str, drawing: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut grid = String::new();
        for tick in self.y.ticks(5) {
            let height = self.at(self.x.low, tick).1;
            let _ = write!(grid, "M{LEFT} {height:.1}H{right}");
            let _ = write!(
                drawing,
                "<text class=\"t\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                height + 3.5,
                label(tick)
            );
        }
        for tick in self.x.ticks(5) {
            let across = self.at(tick, self.y.low).0;
            let _ = write!(grid, "M{across:.1} {bottom}v4");
            let anchor = if across > right - 12.0 {
                "end"
            } else {
                "middle"
            };
            let at = if anchor == "end" { right } else { across };
            let _ = write!(
                drawing,
                "<text class=\"t\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                bottom + 16.0,
                label(tick)
            );
        }
        let _ = write!(
            drawing,
            "<text class=\"t\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <path class=\"g\" d=\"{grid}\"/><path class=\"f\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>",
            LEFT - 12.0,
            bottom + 16.0,
            escape(x_name)
        );
    }

    fn curve(&self, curve: &Curve, points: &[(f64, f64)], drawing: &mut String) {
        let mut path = String::new();
        let mut dots = String::new();
        let mut crosses = String::new();
        let mut is_open = false;
        let finite = points.iter().filter(|p| p.1.is_finite()).count();
        for (k, (x, y)) in points.iter().enumerate() {
            if !y.is_finite() || (self.y.log && *y <= 0.0) {
                is_open = false;
                let across = self.at(*x, self.y.high).0;
                let _ = write!(crosses, "M{:.1} {TOP}l6 6m0 -6l-6 6", across - 3.0);
                continue;
            }
            let (across, up) = self.at(*x, *y);
            let _ = write!(
                path,
                "{}{across:.1} {up:.1}",
                if is_open { "L" } else { "M" }
            );
            is_open = true;
            let next_is_gap = points.get(k + 1).is_none_or(|next| !next.1.is_finite());
            let before_is_gap = k == 0 || !points[k - 1].1.is_finite();
            if finite <= FEW || (next_is_gap && before_is_gap) {
                let _ = write!(dots, "M{across:.1} {up:.1}h0");
            }
        }
        let colour = curve.colour.min(COLOURS);
        let classes = format!("c{colour} d{} r{}", curve.dash, curve.run);
        // Curves end at the frame; dots at its border stay whole.
        let clip = if curve.aside { " clip" } else { "" };
        let _ = write!(drawing, "<path class=\"l {classes}{clip}\" d=\"{path}\"/>");
        if !dots.is_empty() && !curve.aside {
            let _ = write!(
                drawing,
                "<path class=\"dot c{colour} r{}\" d=\"{dots}\"/>",
                curve.run
            );
        }
        if !crosses.is_empty() {
            let _ = write!(
                drawing,
                "<path class=\"x c{colour} r{}\" d=\"{crosses}\"/>",
                curve.run
            );
        }
    }
}

/// Returns the number with five digits, for the page; `null` where it is not finite.
pub(super) fn rounded(value: f64) -> Json {
    let text = format!("{value:.4e}");
    text.parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .map_or(Json::Null, |value| {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
            if value.fract() == 0.0 && value.abs() < 1e15 {
                json!(value as i64)
            } else {
                json!(value)
            }
        })
}

/// Returns at most about `most` points, with the smallest and the largest of each stretch, and
/// every stretch's first value that is not finite.
fn thin(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    if points.len() <= most {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil((most / 2).max(1));
    let mut kept = Vec::new();
    for (number, chunk) in points.chunks(stretch).enumerate() {
        let mut indices = Vec::new();
        let finite = || chunk.iter().enumerate().filter(|(_, p)| p.1.is_finite());
        let order = |p: &(usize, &(f64, f64)), q: &(usize, &(f64, f64))| p.1.1.total_cmp(&q.1.1);
        indices.extend(finite().min_by(order).map(|(k, _)| k));
        indices.extend(finite().max_by(order).map(|(k, _)| k));
        indices.extend(chunk.iter().position(|p| !p.1.is_finite()));
        if number == 0 {
            indices.push(0);
        }
        if (number + 1) * stretch >= points.len() {
            indices.push(chunk.len() - 1);
        }
        indices.sort_unstable();
        indices.dedup();
        kept.extend(indices.into_iter().map(|k| chunk[k]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_ends_extremes_and_gaps() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|k| (f64::from(k), 1.0)).collect();
        points[1234].1 = 9.0;
        points[4321].1 = -9.0;
        points[7777].1 = f64::NAN;
        let kept = thin(&points, 100);
        assert!(kept.len() <= 160, "{}", kept.len());
        assert_eq!((kept[0].0, kept[kept.len() - 1].0), (0.0, 9999.0));
        for (x, y) in [(1234.0, 9.0), (4321.0, -9.0)] {
            assert!(kept.contains(&(x, y)));
        }
        assert!(kept.iter().any(|p| p.0 == 7777.0 && p.1.is_nan()));
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn values_that_are_not_finite_are_marked_and_counted() {
        let points = vec![
            (0.0, 1.0),
            (1.0, f64::NAN),
            (2.0, 2.0),
            (3.0, f64::INFINITY),
        ];
        let curve = Curve {
            name: "a".into(),
            colour: 0,
            run: 0,
            dash: 0,
            aside: false,
            points,
        };
        let chart = Chart {
            title: "<t>".into(),
            curves: vec![curve],
            ..Chart::default()
        };
        let mut numbers = Vec::new();
        let html = html(&chart, &mut numbers);
        assert!(html.contains("2 values are not finite"), "{html}");
        assert_eq!(html.matches("l6 6m0 -6l-6 6").count(), 2);
        assert!(html.contains("&lt;t&gt;") && !html.contains("<t>"));
        assert_eq!(numbers[0]["series"][0]["y"], json!([1, null, 2, null]));
        assert!(!html.contains("NaN") && !html.contains("inf "));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(rounded(0.123_456_789), json!(0.12346));
        assert_eq!(rounded(1020.0), json!(1020));
        assert_eq!(rounded(f64::NAN), Json::Null);
    }
}
