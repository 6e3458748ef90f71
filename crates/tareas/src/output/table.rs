//! Tables for people: no borders, columns as wide as they must be.

use comfy_table::{Cell, ContentArrangement, Table};

/// Lays rows out under a header, or under none. Two blanks between columns, none at the end of a line.
pub(crate) fn table(header: &[String], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    if !header.is_empty() {
        table.set_header(header.iter().map(Cell::new));
    }
    for row in rows {
        table.add_row(row.iter().map(Cell::new));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let words = |words: &[&str]| -> Vec<String> {
            words.iter().map(|word| (*word).to_owned()).collect()
        };
        let rows = [words(&["a", "longer"]), words(&["bbb", ""])];
        let text = table(&words(&["K", "VALUE"]), &rows);
        assert_eq!(text, "K    VALUE\na    longer\nbbb");
    }
}
