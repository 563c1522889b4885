//! Contour lines and the areas above them, by marching squares.
//!
//! Each square of four neighbouring values is cut where its edges cross the level, with linear
//! interpolation along the edge. The two squares that allow two ways of cutting (opposite corners
//! above) are decided by the mean of the corners. Squares with a corner that is not finite are left
//! out.
//!
//! References: Lorensen and Cline (1987) in two dimensions.

use std::collections::{BTreeMap, BTreeSet};

use super::UnitField;
use crate::drawing::geometry::Point;

/// A place where a line is cut, named so that neighbouring squares have the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    /// A point of the grid.
    Corner(usize, usize),
    /// The crossing between a point and the next along the first direction.
    AlongA(usize, usize),
    /// The crossing between a point and the next along the second direction.
    AlongB(usize, usize),
}

/// A directed piece of a line, with what lies above the level at its left.
type Piece = (Node, Node);

/// Returns the lines on which `field` equals `level`, in shares of the axes. Closed lines end where
/// they begin.
pub(crate) fn isolines(field: &UnitField, level: f64) -> Vec<Vec<Point>> {
    let mut cuts = Vec::new();
    for square in field.squares() {
        cuts.extend(Square::of(field, square, level).cuts());
    }
    lines(field, level, &cuts)
}

/// Returns the closed outlines of the areas in which `field` is at least `level`, in shares of the
/// axes. A hole in an area has an outline of its own.
pub(crate) fn areas(field: &UnitField, level: f64) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    for square in field.squares() {
        let cut = Square::of(field, square, level);
        pieces.extend(cut.cuts());
        pieces.extend(cut.outer_sides(field));
    }
    lines(field, level, &pieces)
}

/// A square, with its corners in turn: south-west, south-east, north-east, north-west. Side k goes
/// from corner k to the next.
struct Square {
    at: (usize, usize),
    above: [bool; 4],
    /// Whether the mean of the corners is above; it joins opposite corners that are.
    middle_above: bool,
}

impl Square {
    fn of(field: &UnitField, at: (usize, usize), level: f64) -> Self {
        let (i, j) = at;
        let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
        let values = corners.map(|corner| field.value(corner));
        let is_whole = field.is_whole(at);
        Self {
            at,
            above: values.map(|value| is_whole && value >= level),
            middle_above: values.iter().sum::<f64>() / 4.0 >= level,
        }
    }

    fn corner(&self, k: usize) -> Node {
        let (i, j) = self.at;
        match k % 4 {
            0 => Node::Corner(i, j),
            1 => Node::Corner(i + 1, j),
            2 => Node::Corner(i + 1, j + 1),
            _ => Node::Corner(i, j + 1),
        }
    }

    fn crossing(&self, k: usize) -> Node {
        let (i, j) = self.at;
        match k % 4 {
            0 => Node::AlongA(i, j),
            1 => Node::AlongB(i + 1, j),
            2 => Node::AlongA(i, j + 1),
            _ => Node::AlongB(i, j),
        }
    }

    /// Returns the pieces of the contour line.
    fn cuts(&self) -> Vec<Piece> {
        let is_left = |k: &usize| self.above[*k] && !self.above[(k + 1) % 4];
        let is_entered = |k: &usize| !self.above[*k] && self.above[(k + 1) % 4];
        let leaving = (0..4).filter(is_left);
        // Walking round the square from where the area is left, it is entered again at the next
        // crossing. Opposite corners that are above without the middle stand alone: the line ends
        // at the last crossing, which is the other side of the corner.
        let entering = |k: usize| {
            let mut entered = [1, 2, 3]
                .map(|turn| (k + turn) % 4)
                .into_iter()
                .filter(is_entered);
            if self.middle_above {
                entered.next()
            } else {
                entered.next_back()
            }
        };
        leaving
            .map(|k| {
                let entered = entering(k).expect("an area that is left is entered");
                (self.crossing(k), self.crossing(entered))
            })
            .collect()
    }

    /// Returns the parts of the area's outline on sides that no other whole square has.
    fn outer_sides(&self, field: &UnitField) -> Vec<Piece> {
        let (i, j) = self.at;
        let neighbours = [
            j.checked_sub(1).map(|j| (i, j)),
            (i + 2 < field.a.len()).then_some((i + 1, j)),
            (j + 2 < field.b.len()).then_some((i, j + 1)),
            i.checked_sub(1).map(|i| (i, j)),
        ];
        let mut sides = Vec::new();
        for (k, neighbour) in neighbours.into_iter().enumerate() {
            if neighbour.is_some_and(|square| field.is_whole(square)) {
                continue;
            }
            match (self.above[k], self.above[(k + 1) % 4]) {
                (true, true) => sides.push((self.corner(k), self.corner(k + 1))),
                (true, false) => sides.push((self.corner(k), self.crossing(k))),
                (false, true) => sides.push((self.crossing(k), self.corner(k + 1))),
                (false, false) => {}
            }
        }
        sides
    }
}

/// Joins pieces to lines, and places them.
fn lines(field: &UnitField, level: f64, pieces: &[Piece]) -> Vec<Vec<Point>> {
    let mut next: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    for (from, to) in pieces {
        next.entry(*from).or_default().push(*to);
    }
    // Open lines first, from their beginnings.
    let ends: BTreeSet<Node> = pieces.iter().map(|(_, to)| *to).collect();
    let begins = next.keys().copied().filter(|node| !ends.contains(node));
    let starts: Vec<Node> = begins.chain(next.keys().copied()).collect();
    let mut lines = Vec::new();
    for start in starts {
        while next.contains_key(&start) {
            let mut line = vec![place(field, level, start)];
            let mut at = start;
            while let Some(to) = step(&mut next, at) {
                line.push(place(field, level, to));
                at = to;
            }
            lines.push(line);
        }
    }
    lines
}

/// Takes a piece that begins at a node.
fn step(next: &mut BTreeMap<Node, Vec<Node>>, at: Node) -> Option<Node> {
    let ahead = next.get_mut(&at)?;
    let to = ahead.pop();
    if ahead.is_empty() {
        next.remove(&at);
    }
    to
}

fn place(field: &UnitField, level: f64, node: Node) -> Point {
    let between = |from: (usize, usize), to: (usize, usize)| {
        let (low, high) = (field.value(from), field.value(to));
        let t = (level - low) / (high - low);
        let (p, q) = (field.point(from), field.point(to));
        (p.0 + t * (q.0 - p.0), p.1 + t * (q.1 - p.1))
    };
    match node {
        Node::Corner(i, j) => field.point((i, j)),
        Node::AlongA(i, j) => between((i, j), (i + 1, j)),
        Node::AlongB(i, j) => between((i, j), (i, j + 1)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(n: usize, m: usize, f: impl Fn(f64, f64) -> f64) -> UnitField {
        let at = |k: usize, n: usize| k as f64 / (n - 1) as f64;
        UnitField {
            a: (0..n).map(|i| at(i, n)).collect(),
            b: (0..m).map(|j| at(j, m)).collect(),
            values: (0..n)
                .flat_map(|i| (0..m).map(move |j| (i, j)))
                .map(|(i, j)| f(at(i, n), at(j, m)))
                .collect(),
        }
    }

    fn length(lines: &[Vec<Point>]) -> f64 {
        let pieces = lines.iter().flat_map(|line| line.windows(2));
        pieces
            .map(|p| (p[0].0 - p[1].0).hypot(p[0].1 - p[1].1))
            .sum()
    }

    /// The area inside outlines that have the inside at their left: Green's theorem.
    fn area(lines: &[Vec<Point>]) -> f64 {
        let pieces = lines.iter().flat_map(|line| line.windows(2));
        pieces
            .map(|p| (p[0].0 * p[1].1 - p[1].0 * p[0].1) / 2.0)
            .sum()
    }

    #[test]
    fn isoline_of_a_paraboloid_is_one_closed_circle() {
        let field = field(41, 33, |x, y| (x - 0.5).powi(2) + (y - 0.5).powi(2));
        let lines = isolines(&field, 0.16);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        // The chord of x² over an interval of length h lies at most h²/4 above it, so the squared
        // radius is off by at most that.
        let h: f64 = 1.0 / 32.0;
        for point in &lines[0] {
            let squared = (point.0 - 0.5).powi(2) + (point.1 - 0.5).powi(2);
            assert!((squared - 0.16).abs() <= h * h / 4.0 + 1e-12, "{point:?}");
        }
        let length = length(&lines);
        let circle = 0.8 * std::f64::consts::PI;
        assert!((length - circle).abs() < 0.01, "{length}");
    }

    #[test]
    fn area_above_a_level_has_the_size_of_the_square_without_the_disc() {
        let field = field(41, 33, |x, y| (x - 0.5).powi(2) + (y - 0.5).powi(2));
        let outlines = areas(&field, 0.16);
        let expected = 1.0 - 0.16 * std::f64::consts::PI;
        assert!((area(&outlines) - expected).abs() < 2e-3);
        assert!(outlines.iter().all(|line| line.first() == line.last()));
        // All of the square is above less than the smallest value, and none above more than the
        // largest.
        assert!((area(&areas(&field, -1.0)) - 1.0).abs() < 1e-12);
        assert!(areas(&field, 1.0).is_empty());
    }

    #[test]
    fn isoline_of_a_plane_is_exact_and_not_transposed() {
        let field = field(3, 5, |x, _| x);
        let lines = isolines(&field, 0.3);
        assert_eq!((lines.len(), lines[0].len()), (1, 5));
        assert!(lines[0].iter().all(|p| (p.0 - 0.3).abs() < 1e-15));
        assert!((area(&areas(&field, 0.3)) - 0.7).abs() < 1e-15);
    }

    #[test]
    fn saddle_is_cut_into_two_lines_that_do_not_cross() {
        let field = field(2, 2, |x, y| if x == y { 1.0 } else { 0.0 });
        for (level, south_west_joined, above) in [(0.4, true, 0.84), (0.6, false, 0.16)] {
            let lines = isolines(&field, level);
            assert_eq!(lines.len(), 2);
            // Joined corners leave the middle of the square uncut: both lines keep to the other two
            // corners.
            let near_other_corners = lines.iter().all(|line| {
                let (p, q) = (line[0], line[1]);
                let middle = (f64::midpoint(p.0, q.0), f64::midpoint(p.1, q.1));
                (middle.0 < 0.5) != (middle.1 < 0.5)
            });
            assert_eq!(near_other_corners, south_west_joined, "{lines:?}");
            // Two corners are cut off or stand alone: each is a triangle with legs of 0.4.
            assert!((area(&areas(&field, level)) - above).abs() < 1e-12);
        }
    }

    #[test]
    fn squares_with_a_missing_corner_are_left_out_and_constant_fields_have_no_lines() {
        assert!(isolines(&field(4, 4, |_, _| 0.5), 0.5).is_empty());
        let hole = field(5, 5, |x, y| if (x, y) == (0.5, 0.5) { f64::NAN } else { x });
        // The four squares around the middle are not there: a frame of 12 sixteenths is.
        assert_eq!(area(&areas(&hole, -1.0)), 0.75);
        let lines = isolines(&hole, 0.4);
        assert_eq!((lines.len(), length(&lines)), (2, 0.5));
    }

    proptest! {
        #[test]
        fn areas_are_closed_and_shrink_as_the_level_grows(
            values in prop::collection::vec(
                prop_oneof![4 => 0.0..1.0_f64, 1 => Just(f64::NAN), 1 => Just(0.5)],
                20,
            ),
        ) {
            let field = UnitField {
                a: vec![0.0, 0.1, 0.6, 1.0],
                b: vec![0.0, 0.3, 0.4, 0.9, 1.0],
                values,
            };
            let mut before = f64::INFINITY;
            for level in [-1.0, 0.0, 0.25, 0.5, 0.75, 1.0] {
                let outlines = areas(&field, level);
                for line in &outlines {
                    prop_assert_eq!(line.first(), line.last());
                }
                let area = area(&outlines);
                prop_assert!((0.0..=before + 1e-12).contains(&(area + 1e-12)), "{} {}", level, area);
                before = area;
            }
        }
    }
}
