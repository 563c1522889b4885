//! Tracks and marks over a surface: the path of a training, and points with names.

use crate::Error;
use crate::color::{BLACK, Color, WHITE};
use crate::drawing::geometry::{Point, Rect};
use crate::drawing::{Align, Drawing, Ends, Lettering, Path, font};
use crate::layout::{Entry, Frame, Mark};

/// A path over a surface, such as that of a training projected onto the plane.
///
/// ```
/// use pictures::{ContourConfig, Track};
///
/// let track = Track {
///     name: "SGD".into(),
///     points: vec![[-0.8, 0.5], [-0.3, 0.1], [0.0, 0.0]],
///     steps: vec![0, 100, 200],
/// };
/// let config = ContourConfig {
///     a_label: "first principal direction (81 % of the variance)".into(),
///     b_label: "second principal direction (12 % of the variance)".into(),
///     tracks: vec![track],
///     ..ContourConfig::new("A training")
/// };
/// assert_eq!(config.tracks.len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    /// The name in the legend.
    pub name: String,
    /// `[k]` coordinates along both directions, in the order of the training. Those outside the
    /// surface or not finite are left out, and counted in the legend.
    pub points: Vec<[f64; 2]>,
    /// `[k]` steps of the training at the points, some of which are written beside them. Empty for
    /// none.
    pub steps: Vec<u64>,
}

/// A point with a name over a surface, such as one of the models that span the plane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MarkedPoint {
    /// The name beside the point.
    pub name: String,
    /// The coordinates along both directions.
    pub at: [f64; 2],
}

/// Bright colours of tracks, which stand out with their dark border on any colour of the map.
const COLORS: [Color; 4] = [WHITE, [255, 138, 76], [255, 160, 220], [130, 205, 255]];
/// The heights of the letters of steps and of names, in units of the picture.
const STEP: f64 = 25.0;
const POINT: f64 = 30.0;
/// The largest number of steps written beside a track.
const MOST_STEPS: usize = 7;

/// Returns the colour of track number `index`.
pub(super) fn track_color(index: usize) -> Color {
    COLORS[index % COLORS.len()]
}

/// Checks that each track has as many steps as points, or none.
pub(super) fn check_tracks(tracks: &[Track]) -> Result<(), Error> {
    for track in tracks {
        let (found, expected) = (track.steps.len(), track.points.len());
        if found > 0 && found != expected {
            return Err(Error::Length {
                what: format!("the list of steps of the track {:?}", track.name),
                found,
                expected,
            });
        }
    }
    Ok(())
}

/// Returns the entries of the legend for tracks; `inside` tells whether a point lies on
/// the surface.
pub(super) fn entries(tracks: &[Track], inside: impl Fn([f64; 2]) -> bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (index, track) in tracks.iter().enumerate() {
        let outside = track.points.iter().filter(|at| !inside(**at)).count();
        let text = if outside > 0 {
            let all = track.points.len();
            format!("{} ({outside} of {all} points outside)", track.name)
        } else {
            track.name.clone()
        };
        entries.push(Entry::new(Mark::Track(track_color(index)), text));
    }
    if tracks.iter().any(|track| track.points.len() > 1) {
        entries.push(Entry::new(Mark::Begin(WHITE), "start"));
        entries.push(Entry::new(Mark::End(WHITE), "end"));
    }
    entries
}

/// Tells whether a point lies on the frame's axes.
pub(super) fn is_inside(frame: &Frame, [a, b]: [f64; 2]) -> bool {
    [frame.x.unit(a), frame.y.unit(b)]
        .iter()
        .all(|share| (-1e-9..=1.0 + 1e-9).contains(share))
}

/// Draws tracks and marked points, and adds what they cover to `taken`.
pub(super) fn draw_over(
    drawing: &mut Drawing,
    frame: &Frame,
    (tracks, points): (&[Track], &[MarkedPoint]),
    taken: &mut Vec<Rect>,
) {
    let unit = frame.unit;
    let pixel = |[a, b]: [f64; 2]| frame.point(a, b);
    let shown = |track: &Track| -> Vec<(usize, Point)> {
        let inside = track.points.iter().enumerate();
        let inside = inside.filter(|(_, at)| is_inside(frame, **at));
        inside.map(|(k, at)| (k, pixel(*at))).collect()
    };
    for (index, track) in tracks.iter().enumerate() {
        let line: Vec<Point> = track.points.iter().map(|at| pixel(*at)).collect();
        let pieces: Vec<[Point; 2]> = line
            .windows(2)
            .filter_map(|pair| clipped([pair[0], pair[1]], frame.plot))
            .collect();
        for (width, color) in [(7.5, BLACK), (4.0, track_color(index))] {
            let mut path = Path::new();
            for run in joined(&pieces) {
                path.line(&run);
            }
            drawing.stroke(path, width * unit, color, Ends::Round);
        }
        let shown = shown(track);
        let few = shown.len() <= 60;
        for (_, at) in shown.iter().filter(|_| few) {
            drawing.disc(*at, 6.0 * unit, BLACK);
            drawing.disc(*at, 4.2 * unit, track_color(index));
        }
        for piece in &pieces {
            cover(*piece, 6.0 * unit, taken);
        }
    }
    for (index, track) in tracks.iter().enumerate() {
        let shown = shown(track);
        let ends = [shown.first(), shown.last()];
        let is_whole = [0, track.points.len().saturating_sub(1)];
        let marks = [
            Mark::Begin(track_color(index)),
            Mark::End(track_color(index)),
        ];
        for ((end, whole), mark) in ends.into_iter().zip(is_whole).zip(marks) {
            if let Some((_, at)) = end.filter(|(k, _)| *k == whole && track.points.len() > 1) {
                frame.mark(drawing, mark, *at);
                taken.push(square(*at, 13.0 * unit));
            }
        }
    }
    for point in points.iter().filter(|point| is_inside(frame, point.at)) {
        let at = pixel(point.at);
        frame.mark(drawing, Mark::Point, at);
        taken.push(square(at, 14.0 * unit));
    }
    for point in points.iter().filter(|point| is_inside(frame, point.at)) {
        beside(
            drawing,
            frame,
            &point.name,
            (pixel(point.at), POINT),
            taken,
            true,
        );
    }
    for track in tracks {
        write_steps(drawing, frame, track, &shown(track), taken);
    }
}

/// Writes the steps of the last and the first point, and of some between that lie well apart.
fn write_steps(
    drawing: &mut Drawing,
    frame: &Frame,
    track: &Track,
    shown: &[(usize, Point)],
    taken: &mut Vec<Rect>,
) {
    let mut written: Vec<Point> = Vec::new();
    let ends = shown.last().into_iter().chain(shown.first());
    let between = shown.iter().skip(1).rev().skip(1).rev();
    for (order, (k, at)) in ends.chain(between).enumerate() {
        let far = |other: &Point| (at.0 - other.0).hypot(at.1 - other.1) > 105.0 * frame.unit;
        if written.len() == MOST_STEPS || !written.iter().all(far) {
            continue;
        }
        let Some(step) = track.steps.get(*k) else {
            continue;
        };
        // The ends are written even where there is no free place.
        let is_end = order < 2;
        if beside(
            drawing,
            frame,
            &step.to_string(),
            (*at, STEP),
            taken,
            is_end,
        ) {
            written.push(*at);
        }
    }
}

/// The directions from a point in which its text is tried.
const SIDES: [Point; 8] = [
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
    (0.8, -0.8),
    (-0.8, -0.8),
    (0.8, 0.8),
    (-0.8, 0.8),
];

/// Writes a text beside a point where nothing else is, and tells whether there was room. A text
/// that must be written may stand farther off, or over something else.
fn beside(
    drawing: &mut Drawing,
    frame: &Frame,
    text: &str,
    (at, size): (Point, f64),
    taken: &mut Vec<Rect>,
    must: bool,
) -> bool {
    let unit = frame.unit;
    let size = size * unit;
    let (width, height) = (font::width(text, size), font::CAPITAL * size);
    let gaps: &[f64] = if must { &[17.0, 40.0] } else { &[17.0] };
    let places = gaps
        .iter()
        .flat_map(|gap| SIDES.map(|side| (gap * unit, side)));
    let rects: Vec<Rect> = places
        .map(|(gap, (x, y))| {
            let middle = (
                at.0 + x * (gap + width / 2.0),
                at.1 + y * (gap + height / 2.0),
            );
            Rect::of_size(width, height).moved((middle.0 - width / 2.0, middle.1 - height / 2.0))
        })
        .collect();
    let fits = |rect: &&Rect| rect.grown(3.0 * unit).lies_in(frame.plot);
    let is_free = |rect: &&Rect| taken.iter().all(|other| other.is_apart(rect, 2.0 * unit));
    let mut inside = rects.iter().filter(fits);
    let free = rects.iter().filter(fits).find(is_free);
    let chosen = free.or_else(|| inside.next().filter(|_| must));
    let Some(rect) = chosen else { return false };
    let middle = (
        f64::midpoint(rect.left, rect.right),
        f64::midpoint(rect.top, rect.bottom),
    );
    let style = Lettering::new(size, Align::Middle, Align::Middle).color(WHITE);
    drawing.text_with_halo(text, middle, style, BLACK);
    taken.push(*rect);
    true
}

fn square((x, y): Point, half: f64) -> Rect {
    Rect {
        left: x,
        right: x,
        top: y,
        bottom: y,
    }
    .grown(half)
}

/// Adds squares along a line to what is taken.
pub(super) fn cover([from, to]: [Point; 2], half: f64, taken: &mut Vec<Rect>) {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    let parts = (length / (2.0 * half)).ceil().clamp(1.0, 2000.0);
    let mut part = 0.0;
    while part <= parts {
        let share = part / parts;
        let at = (
            from.0 + share * (to.0 - from.0),
            from.1 + share * (to.1 - from.1),
        );
        taken.push(square(at, half));
        part += 1.0;
    }
}

/// Joins pieces that follow each other to lines.
fn joined(pieces: &[[Point; 2]]) -> Vec<Vec<Point>> {
    let mut lines: Vec<Vec<Point>> = Vec::new();
    for [from, to] in pieces {
        match lines.last_mut() {
            Some(line) if line.last() == Some(from) => line.push(*to),
            _ => lines.push(vec![*from, *to]),
        }
    }
    lines
}

/// Returns the part of a line inside a rectangle (Liang and Barsky, 1984).
pub(super) fn clipped([from, to]: [Point; 2], rect: Rect) -> Option<[Point; 2]> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (step, room) in [
        (-dx, from.0 - rect.left),
        (dx, rect.right - from.0),
        (-dy, from.1 - rect.top),
        (dy, rect.bottom - from.1),
    ] {
        if !(step.is_finite() && room.is_finite()) || (step == 0.0 && room < 0.0) {
            return None;
        }
        let share = room / step;
        if step < 0.0 {
            enter = enter.max(share);
        } else if step > 0.0 {
            leave = leave.min(share);
        }
    }
    let at = |share: f64| (from.0 + share * dx, from.1 + share * dy);
    (enter <= leave).then(|| {
        let begin = if enter > 0.0 { at(enter) } else { from };
        let end = if leave < 1.0 { at(leave) } else { to };
        [begin, end]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_the_sides_of_the_plot() {
        let rect = Rect::of_size(10.0, 10.0);
        let cut = clipped([(-5.0, 5.0), (15.0, 5.0)], rect);
        assert_eq!(cut, Some([(0.0, 5.0), (10.0, 5.0)]));
        let cut = clipped([(5.0, 5.0), (5.0, 25.0)], rect);
        assert_eq!(cut, Some([(5.0, 5.0), (5.0, 10.0)]));
        assert_eq!(clipped([(-1.0, 1.0), (1.0, -7.0)], rect), None);
        assert_eq!(clipped([(f64::NAN, 5.0), (5.0, 5.0)], rect), None);
        assert_eq!(
            clipped([(1.0, 2.0), (1.0, 2.0)], rect),
            Some([(1.0, 2.0); 2])
        );
    }
}
