//! Four classical test functions: their surfaces in one picture, and their critical points, found
//! from a grid of starts and classified.
#![allow(clippy::print_stdout, reason = "a program")]

mod found;
mod report;

use anyhow::Result;
use burn::tensor::{DType, Device, Tensor};
use clap::Parser;
use found::Found;
use landscape::critical::{CriticalConfig, SearchConfig, critical_point, find_critical_point};
use landscape::slice::linspace;
use landscape::test_functions::{Point, TestFunction};
use landscape::{Grid, plane};

/// Half a side of the square that is looked at.
const SIDE: f64 = 2.0;

/// Draws four test functions and finds their critical points.
#[derive(Parser)]
struct Arguments {
    /// Starts of the search along each side.
    #[arg(long, default_value_t = 24)]
    starts: usize,
    /// Fewer starts and a coarser grid.
    #[arg(long)]
    small: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (starts, points) = if arguments.small {
        (6, 21)
    } else {
        (arguments.starts, 101)
    };
    let options = (&Device::flex(), DType::F64);

    let mut surfaces = Vec::new();
    for function in TestFunction::ALL {
        let risk = function.risk(options);

        // The coordinates are the parameters, so that the plane is the function's own.
        let origin = Point::new([0.0, 0.0], options);
        let axes = [[1.0, 0.0], [0.0, 1.0]].map(|axis| Tensor::<1>::from_data(axis, options));
        let grid = Grid::square(-SIDE..=SIDE, points);
        let surface = plane(&origin, &risk, [&axes[0], &axes[1]], &grid)?;

        // Newton's method for the gradient ends at critical points of every kind.
        let mut found = Found::within(SIDE);
        let places = linspace(-SIDE..=SIDE, starts);
        for start in places
            .iter()
            .flat_map(|&x| places.iter().map(move |&y| [x, y]))
        {
            let start = Point::new(start, options);
            let end = find_critical_point(&start, &risk, &SearchConfig::new())?;
            let at = end.model.coordinates();
            if end.converged && found.is_new(at) {
                found.add(
                    at,
                    &critical_point(&end.model, &risk, &CriticalConfig::new())?,
                );
            }
        }
        println!("{}", found.lines(function));
        surfaces.push((function, surface, found));
    }
    for path in report::pictures(&surfaces)? {
        println!("{path}");
    }
    Ok(())
}
