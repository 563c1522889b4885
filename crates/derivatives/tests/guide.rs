//! The page on adding an operation shows the crate's own code.
#![allow(missing_docs, reason = "a test")]

use std::path::Path;

/// A block of code, the file that is named above it, and the line where it starts.
struct Block<'a> {
    file: &'a str,
    line: usize,
    code: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut file = "";
    let mut lines = page.lines().map(str::trim).enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(name) = line.strip_prefix('`').and_then(|l| l.strip_suffix('`')) {
            file = name;
        } else if line == "```rust" {
            let code = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| *line != "```")
                .filter(|line| !line.is_empty())
                .collect();
            found.push(Block {
                file,
                line: number + 1,
                code,
            });
        }
    }
    found
}

/// Where `part` stands in `lines`, one line after the other.
fn position(lines: &[&str], part: &[&str]) -> Option<usize> {
    lines.windows(part.len()).position(|window| window == part)
}

#[test]
fn every_block_of_the_page_stands_in_the_file_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("ADDING.md")).expect("the page");
    let blocks = blocks(&page);
    assert!(blocks.len() >= 10, "{} blocks", blocks.len());
    for block in blocks {
        let place = format!("line {} of the page, {}", block.line, block.file);
        let source = std::fs::read_to_string(root.join(block.file))
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        let source: Vec<&str> = source
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let mut rest = source.as_slice();
        for part in block.code.split(|line| *line == "// ...") {
            let at = position(rest, part)
                .unwrap_or_else(|| panic!("{place}: the file has not\n{}", part.join("\n")));
            rest = &rest[at + part.len()..];
        }
    }
}
