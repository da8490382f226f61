//! What service managers and cron run: unit files (systemd.syntax(7)) and crontabs (crontab(5)).

/// A command line with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCommand {
    pub line: usize,
    /// As the file has it, without the schedule or key.
    pub text: String,
    pub words: Vec<String>,
    /// `WorkingDirectory=`, or a `cd` before it.
    pub directory: Option<String>,
    /// The `PATH` that the file sets for it.
    pub search_path: Option<String>,
}

/// The `Exec...=` lines of a unit file.
pub fn unit(text: &str) -> Vec<ServiceCommand> {
    let mut commands = Vec::new();
    let (mut directory, mut search_path) = (None, None);
    let mut in_service = false;
    for (line, setting) in unit_lines(text) {
        if let Some(section) = setting.strip_prefix('[') {
            in_service = section.trim_end().trim_end_matches(']') == "Service";
            continue;
        }
        let Some((key, value)) = setting.split_once('=').filter(|_| in_service) else { continue };
        let value = value.trim();
        match key.trim_end() {
            "WorkingDirectory" => directory = Some(value.trim_start_matches('-').to_owned()),
            "Environment" => {
                let path =
                    words(value).into_iter().find_map(|word| Some(word.strip_prefix("PATH=")?.to_owned()));
                search_path = path.or(search_path);
            }
            "ExecStart" | "ExecStartPre" | "ExecStartPost" | "ExecReload" | "ExecStop" => {
                // prefixes that change how it is run, not what
                let text = value.trim_start_matches(['-', '@', ':', '+', '!', '|']);
                commands.extend(shell_commands(line, text, None, true));
            }
            _ => {}
        }
    }
    for command in &mut commands {
        command.directory = command.directory.take().or_else(|| directory.clone());
        command.search_path = search_path.clone();
    }
    commands
}

/// Lines joined at a trailing `\`, without comments, each with the number of its first.
fn unit_lines(text: &str) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line.starts_with(['#', ';']) || (line.is_empty() && !continues) {
            continue;
        }
        let part = line.strip_suffix('\\');
        let content = part.unwrap_or(line);
        match joined.last_mut().filter(|_| continues) {
            Some((_, whole)) => {
                whole.push(' ');
                whole.push_str(content);
            }
            None => joined.push((number, content.to_owned())),
        }
        continues = part.is_some();
    }
    joined
}

/// The commands of a crontab. Those of the system (`/etc/crontab`, `/etc/cron.d`) name a user before
/// the command.
pub fn crontab(text: &str, names_user: bool) -> Vec<ServiceCommand> {
    let mut commands = Vec::new();
    let mut search_path = None;
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((name, value)) = line.split_once('=')
            && name.trim_end().chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
        {
            if name.trim_end() == "PATH" {
                search_path = Some(value.trim().trim_matches(['"', '\'']).to_owned());
            }
            continue;
        }
        let fields = if line.starts_with('@') { 1 } else { 5 } + usize::from(names_user);
        let Some(text) = after_fields(line, fields) else { continue };
        // an unescaped % ends the command: the rest is its standard input
        let end = text
            .match_indices('%')
            .find(|(at, _)| !text[..*at].ends_with('\\'))
            .map_or(text.len(), |(at, _)| at);
        let mut found = shell_commands(number, &text[..end], None, true);
        for command in &mut found {
            command.search_path = search_path.clone();
        }
        commands.append(&mut found);
    }
    commands
}

fn after_fields(line: &str, count: usize) -> Option<&str> {
    let mut rest = line;
    for _ in 0..count {
        rest = rest[rest.find([' ', '\t'])?..].trim_start();
    }
    Some(rest)
}

/// The simple commands of a shell line, `cd` followed; `sh -c '...'` is looked into where `outermost`.
fn shell_commands(
    line: usize,
    text: &str,
    mut directory: Option<String>,
    outermost: bool,
) -> Vec<ServiceCommand> {
    let mut commands = Vec::new();
    for part in shell_parts(text) {
        let mut words = words(part);
        // assignments before a command; a PATH among them is the command's own
        let assignments = words.iter().take_while(|word| is_assignment(word)).count();
        words.drain(..assignments);
        let Some(program) = words.first() else { continue };
        let name = program.rsplit('/').next().unwrap_or(program);
        if name == "cd" {
            directory = words.get(1).cloned();
            continue;
        }
        let script = words.iter().skip(1).position(|word| word.starts_with('-') && word.ends_with('c'));
        if let (true, Some(at)) = (matches!(name, "sh" | "bash" | "dash" | "zsh" | "ksh"), script) {
            if let Some(inner) = words.get(at + 2).filter(|_| outermost) {
                commands.extend(shell_commands(line, inner, directory.clone(), false));
            }
            continue;
        }
        let text = part.trim().to_owned();
        commands.push(ServiceCommand { line, text, words, directory: directory.clone(), search_path: None });
    }
    commands
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    })
}

/// The text between `;`, `&&`, `||`, `|` and `&`, and before a redirection, outside quotes.
fn shell_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote, mut escaped, mut redirected) = (0, None, false, None);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '<' | '>') => {
                // a file descriptor's number belongs to the redirection
                redirected.get_or_insert(text[..at].trim_end_matches(|c: char| c.is_ascii_digit()).len());
            }
            // `2>&1`
            (None, '&') if text[..at].ends_with(['<', '>']) => {}
            (None, ';' | '&' | '|') => {
                parts.push(&text[start..redirected.take().unwrap_or(at).max(start)]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..redirected.unwrap_or(text.len()).max(start)]);
    parts
}

/// Words separated by blanks, with quotes and backslashes taken off.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, ' ' | '\t') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_unit() {
        let text = "[Unit]\nExecStart=no\n[Service]\nEnvironment=A=1 \"PATH=/v/bin:/bin\"\nWorkingDirectory=/srv/app\n\
                    ExecStart=-/usr/bin/python3 \\\n  '/srv/my app/run.py' --flag\n# ExecStart=/no\n";
        let commands = unit(text);
        assert_eq!(commands.len(), 1);
        assert_eq!(commands[0].line, 6);
        assert_eq!(commands[0].words, ["/usr/bin/python3", "/srv/my app/run.py", "--flag"]);
        assert_eq!(commands[0].directory.as_deref(), Some("/srv/app"));
        assert_eq!(commands[0].search_path.as_deref(), Some("/v/bin:/bin"));
    }

    #[test]
    fn reads_a_crontab() {
        let text = "# m h\nPATH=/bin\n*/5 * * * * cd /srv/app && python3 run.py >> log 2>&1\n@daily /srv/app/job.py%in\n* * *\n";
        let commands = crontab(text, false);
        assert_eq!(commands.len(), 2);
        assert_eq!(commands[0].words, ["python3", "run.py"]);
        assert_eq!(commands[0].directory.as_deref(), Some("/srv/app"));
        assert_eq!((commands[1].line, commands[1].words.len()), (4, 1));
        let system = crontab("0 1 * * * root A=1 bash -lc 'cd /srv; python x.py'\n", true);
        assert_eq!(system[0].words, ["python", "x.py"]);
        assert_eq!(system[0].directory.as_deref(), Some("/srv"));
    }

    #[test]
    fn nonsense_is_survived() {
        for text in
            ["'", "\\", "[", "* * * * * '", "sh -c", "* * * * * sh -c \"sh -c 'sh -c x'\"", "é=é", ">;<|&"]
        {
            unit(&format!("[Service]\nExecStart={text}\n"));
            crontab(text, true);
            crontab(text, false);
        }
    }
}
