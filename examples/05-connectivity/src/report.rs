//! The table and the pictures.

use std::fmt::Write;

use connectivity::Paths;


/// Returns a row for each pair of networks and each path.
pub(crate) fn table(pairs: &[Paths]) -> String {
    let mut text = format!(
        "{:14} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}  {}",
        "pair, path", "barrier", "max", "test", "test max", "accuracy", "test", "verdict"
    );
    for (number, pair) in pairs.iter().enumerate() {
        let paths = [
            ("line", &pair.line),
            ("Bezier", &pair.bezier),
            ("aligned line", &pair.aligned),
        ];
        for (name, path) in paths {
            let [training, test] = &path.loss;
            let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
            let _ = write!(
                text,
                "\n{number} {name:12} {:8.4} {:8.4} {:8.4} {:8.4} {:9.3} {:9.3}  {:?}",
                training.barrier,
                training.max,
                test.barrier,
                test.max,
                least(&path.accuracy[0]),
                least(&path.accuracy[1]),
                training.verdict
            );
        }
        let _ = write!(
            text,
            "\n{number} max of the Bezier curve / barrier of the line {:.4}; squared distance {:.1}, aligned {:.1}",
            pair.bezier.loss[0].max / pair.line.loss[0].barrier,
            pair.alignment.squared_distance_before,
            pair.alignment.squared_distance_after
        );
    }
    text
}
