//! A matrix in panels of rows that differ from the background in similar columns.

use super::background::background;
use crate::real::Real;

/// Rows of a panel.
pub(super) const ROWS: usize = 4;
/// Rows from which the panels among them are formed.
pub(super) const GROUP: usize = 128;
/// The part of the entries in panels above which a product is no faster for them.
const MOST: f64 = 0.6;
/// No row.
pub(super) const NONE: u32 = u32::MAX;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Panels<E> {
    pub(super) rows: usize,
    pub(super) inner: usize,
    pub(super) background: Background<E>,
    panels: Vec<Panel>,
    /// The columns that are kept of all panels, one panel after the other.
    columns: Vec<u32>,
    /// The entries of the rows of a panel less the background, for each of its columns.
    entries: Vec<[E; ROWS]>,
}

/// The entries that are not kept.
#[derive(Debug)]
pub(super) enum Background<E> {
    Zero,
    /// One number for each column.
    OfColumns(Vec<E>),
    /// One number for each row.
    OfRows(Vec<E>),
}

#[derive(Debug)]
struct Panel {
    /// [`NONE`] for the rest of a group that four do not divide.
    rows: [u32; ROWS],
    start: usize,
    end: usize,
}

/// The rows of a panel and what is kept of them.
pub(super) struct Kept<'a, E> {
    pub(super) rows: [u32; ROWS],
    pub(super) columns: &'a [u32],
    pub(super) entries: &'a [[E; ROWS]],
}

impl<E: Real> Panels<E> {
    /// Returns the matrix with so many columns, given row by row, or with `transposed` its
    /// transpose; `None` where too much of it would be kept.
    pub(super) fn new(x: &[E], columns: usize, transposed: bool) -> Option<Self> {
        let (numbers, others) = background(x, columns);
        #[expect(clippy::cast_precision_loss, reason = "fractions")]
        let is_much = |kept: usize| kept as f64 > MOST * x.len() as f64;
        if is_much(others) {
            return None;
        }
        let all_rows = x.len() / columns;
        let (rows, inner) = if transposed {
            (columns, all_rows)
        } else {
            (all_rows, columns)
        };
        // Their numbers are kept in 32 bits.
        u32::try_from(rows.max(inner)).ok().filter(|&n| n < NONE)?;
        let entry = |row: usize, position: usize| {
            if transposed {
                x[position * columns + row] - numbers[row]
            } else {
                x[row * columns + position] - numbers[position]
            }
        };
        let sets = sets(x, columns, &numbers, transposed);
        let mut made = Self {
            rows,
            inner,
            background: Background::Zero,
            panels: Vec::new(),
            columns: Vec::new(),
            entries: Vec::new(),
        };
        for first in (0..rows).step_by(GROUP) {
            let group = first..rows.min(first + GROUP);
            for panel in similar(&sets, group) {
                made.add(&panel, &sets, entry);
            }
        }
        if is_much(ROWS * made.entries.len()) {
            return None;
        }
        made.columns.shrink_to_fit();
        made.entries.shrink_to_fit();
        if numbers.iter().any(|&number| number != E::default()) {
            made.background = if transposed {
                Background::OfRows(numbers)
            } else {
                Background::OfColumns(numbers)
            };
        }
        Some(made)
    }

    fn add(&mut self, panel: &[usize], sets: &[Vec<u64>], entry: impl Fn(usize, usize) -> E) {
        let start = self.columns.len();
        let mut rows = [NONE; ROWS];
        for (place, &row) in rows.iter_mut().zip(panel) {
            *place = short(row);
        }
        let mut union = sets[panel[0]].clone();
        for &row in &panel[1..] {
            join(&mut union, &sets[row]);
        }
        for column in elements(&union) {
            let mut entries = [E::default(); ROWS];
            for (place, &row) in entries.iter_mut().zip(panel) {
                *place = entry(row, column);
            }
            self.columns.push(short(column));
            self.entries.push(entries);
        }
        let end = self.columns.len();
        self.panels.push(Panel { rows, start, end });
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.panels[..])
            + size_of_val(&self.columns[..])
            + size_of_val(&self.entries[..])
    }

    /// Returns the number of groups of [`GROUP`] rows.
    pub(super) const fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// Returns the panels of these groups.
    pub(super) fn of(&self, groups: std::ops::Range<usize>) -> impl Iterator<Item = Kept<'_, E>> {
        let panels = GROUP / ROWS;
        let end = self.panels.len();
        let range = (groups.start * panels).min(end)..(groups.end * panels).min(end);
        self.panels[range].iter().map(|panel| Kept {
            rows: panel.rows,
            columns: &self.columns[panel.start..panel.end],
            entries: &self.entries[panel.start..panel.end],
        })
    }
}

/// Returns a number below [`NONE`].
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked where panels are made"
)]
const fn short(number: usize) -> u32 {
    number as u32
}

/// Returns for each row of the matrix, or with `transposed` of its transpose, the set of the
/// columns in which it differs from the background: a bit for each.
fn sets<E: Real>(x: &[E], columns: usize, numbers: &[E], transposed: bool) -> Vec<Vec<u64>> {
    let rows = x.chunks_exact(columns).map(|row| {
        let words = row.chunks(64).zip(numbers.chunks(64));
        let word = |(row, numbers): (&[E], &[E])| {
            let differ = row.iter().zip(numbers).map(|(x, number)| x != number);
            let bits = differ.enumerate().map(|(place, is)| u64::from(is) << place);
            bits.fold(0, |word, bit| word | bit)
        };
        words.map(word).collect()
    });
    if !transposed {
        return rows.collect();
    }
    let members = (x.len() / columns).div_ceil(64);
    let mut sets = vec![vec![0_u64; members]; columns];
    for (row, set) in rows.enumerate() {
        for column in elements(&set) {
            sets[column][row / 64] |= 1 << (row % 64);
        }
    }
    sets
}

/// Adds the elements of another set.
fn join(set: &mut [u64], other: &[u64]) {
    for (set, other) in set.iter_mut().zip(other) {
        *set |= other;
    }
}

/// Returns the elements of a set.
fn elements(set: &[u64]) -> impl Iterator<Item = usize> {
    set.iter().enumerate().flat_map(|(place, &word)| {
        let mut left = word;
        std::iter::from_fn(move || {
            let first = (left != 0).then(|| place * 64 + left.trailing_zeros() as usize);
            left &= left.wrapping_sub(1);
            first
        })
    })
}

/// Returns the rows of a group in panels: to the first row that is left come, one by one, those
/// that add the fewest columns.
fn similar(sets: &[Vec<u64>], group: std::ops::Range<usize>) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = group.collect();
    let mut panels = Vec::with_capacity(left.len().div_ceil(ROWS));
    while !left.is_empty() {
        let first = left.remove(0);
        let mut union = sets[first].clone();
        let mut panel = vec![first];
        while panel.len() < ROWS && !left.is_empty() {
            let added = |row: usize| -> u32 {
                let words = union.iter().zip(&sets[row]);
                words.map(|(union, set)| (set & !union).count_ones()).sum()
            };
            let nearest = (0..left.len()).min_by_key(|&place| added(left[place]));
            let row = left.remove(nearest.expect("a row is left"));
            join(&mut union, &sets[row]);
            panel.push(row);
        }
        panels.push(panel);
    }
    panels
}
