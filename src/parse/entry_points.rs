//! `entry_points.txt`: the commands that a distribution brings (the entry points specification; an ini file).

/// `name = module:function` of `[console_scripts]` and `[gui_scripts]`: the names.
pub fn scripts(text: &str) -> Vec<String> {
    let mut wanted = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            wanted = matches!(section.trim(), "console_scripts" | "gui_scripts");
        } else if wanted
            && !line.starts_with(['#', ';'])
            && let Some((name, _)) = line.split_once('=')
            && !name.trim().is_empty()
        {
            found.push(name.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_kinds_of_scripts() {
        let text = "[console_scripts]\npip = pip:main\n# x = y\n[other]\na = b\n[gui_scripts]\n win=c:d\n";
        assert_eq!(scripts(text), ["pip", "win"]);
        assert!(scripts("").is_empty());
    }
}
