//! Changes to texts: scenarios, repros, regression files, lines of results.

use super::base::Pool;
use super::dice::Dice;
use super::tokens::{Token, What, tokens};
use super::values;

/// No input is longer than so many bytes.
pub const LENGTH_MAX: usize = 1 << 16;

/// The text with a change, or with several.
pub fn changed(text: &str, pool: &Pool, dice: &mut Dice) -> String {
    let mut text = text.to_owned();
    loop {
        text = changed_once(&text, pool, dice);
        let end = (0..=LENGTH_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        if dice.one_in(2) {
            return text;
        }
    }
}

fn changed_once(text: &str, pool: &Pool, dice: &mut Dice) -> String {
    match dice.below(24) {
        0..=2 => on_token(text, dice, What::Value, |_, dice| values::value(dice)),
        3..=6 => value_of_same_key(text, pool, dice),
        7 => on_token(text, dice, What::Value, |_, dice| dice.pick(&pool.values).clone()),
        8..=10 => on_token(text, dice, What::Value, other_number),
        11 => on_token(text, dice, What::Key, |key, dice| other_key(key, pool, dice)),
        12 => on_token(text, dice, What::Header, |_, dice| dice.pick(&pool.keys).clone()),
        13 => on_token(text, dice, What::Mark, |_, dice| values::scrap(dice).to_owned()),
        14 => on_token(text, dice, What::Value, wrapped),
        15 => on_line(text, dice, |_, _| String::new()),
        16 => on_line(text, dice, |line, dice| line.repeat(*dice.pick(&[2, 2, 2, 3, 20, 300]))),
        17 => moved_line(text, dice),
        18 => new_line(text, pool, dice),
        19 => new_section(text, pool, dice),
        20 => spliced(text, dice.pick(&pool.texts).as_str(), dice),
        21 => text[..boundary(text, dice)].to_owned(),
        22 => {
            let at = boundary(text, dice);
            format!("{}{}{}", &text[..at], values::scrap(dice), &text[at..])
        }
        _ => without_some(text, dice),
    }
}

fn on_token(
    text: &str,
    dice: &mut Dice,
    what: What,
    change: impl FnOnce(&str, &mut Dice) -> String,
) -> String {
    let tokens: Vec<Token> = tokens(text).into_iter().filter(|t| t.what == what).collect();
    if tokens.is_empty() {
        return text.to_owned();
    }
    let at = dice.pick(&tokens).at.clone();
    format!("{}{}{}", &text[..at.start], change(&text[at.clone()], dice), &text[at.end..])
}

/// What another file says under the same key.
fn value_of_same_key(text: &str, pool: &Pool, dice: &mut Dice) -> String {
    let tokens = tokens(text);
    let values: Vec<usize> =
        (0..tokens.len()).filter(|index| tokens[*index].what == What::Value).collect();
    if values.is_empty() {
        return text.to_owned();
    }
    let chosen = *dice.pick(&values);
    let key = tokens[..chosen].iter().rfind(|token| token.what == What::Key);
    let key = key.map_or("", |token| &text[token.at.clone()]);
    let at = tokens[chosen].at.clone();
    let new = match pool.by_key.get(key) {
        Some(values) => dice.pick(values).clone(),
        None => values::value(dice),
    };
    format!("{}{new}{}", &text[..at.start], &text[at.end..])
}

/// One of the numbers in a value, which can be a part of a string, becomes another.
fn other_number(value: &str, dice: &mut Dice) -> String {
    let is_digit = |(_, byte): &(usize, u8)| byte.is_ascii_digit();
    let digits: Vec<usize> = value.bytes().enumerate().filter(is_digit).map(|(at, _)| at).collect();
    if digits.is_empty() {
        return values::value(dice);
    }
    let at = *dice.pick(&digits);
    let start = (0..=at).rev().take_while(|at| value.as_bytes()[*at].is_ascii_digit()).last();
    let start = start.unwrap_or(at);
    let end = (at..value.len()).find(|at| !value.as_bytes()[*at].is_ascii_digit());
    let end = end.unwrap_or(value.len());
    let old: u64 = value[start..end].parse().unwrap_or(0);
    let new = match dice.below(6) {
        0 => old.wrapping_add(1).to_string(),
        1 => old.wrapping_sub(1).to_string(),
        2 => old.wrapping_mul(10).to_string(),
        3 => (old / 10).to_string(),
        4 => format!("-{old}"),
        _ => values::number(dice),
    };
    format!("{}{new}{}", &value[..start], &value[end..])
}

fn other_key(key: &str, pool: &Pool, dice: &mut Dice) -> String {
    match dice.below(6) {
        0 => "x".repeat(*dice.pick(&[1, 40, 5_000])),
        1 => format!("{key}s"),
        2 => format!("\"{key}\u{202e}\u{1b}[0m\""),
        3 => format!("{key}.{}", dice.pick(&pool.keys)),
        _ => dice.pick(&pool.keys).clone(),
    }
}

fn wrapped(value: &str, dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => format!("[{value}]"),
        1 => format!("{{ a = {value} }}"),
        2 => format!("[{value}, {value}]"),
        _ => {
            let depth = *dice.pick(&[3usize, 60, 79, 80, 81, 127, 128, 129, 2_000]);
            format!("{}{value}{}", "[".repeat(depth), "]".repeat(depth))
        }
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn on_line(text: &str, dice: &mut Dice, change: impl FnOnce(&str, &mut Dice) -> String) -> String {
    let lines = lines(text);
    if lines.is_empty() {
        return text.to_owned();
    }
    let at = dice.index(lines.len());
    let new = change(lines[at], dice);
    format!("{}{new}{}", lines[..at].concat(), lines[at + 1..].concat())
}

fn moved_line(text: &str, dice: &mut Dice) -> String {
    let mut lines = lines(text);
    if lines.len() < 2 {
        return text.to_owned();
    }
    let line = lines.remove(dice.index(lines.len()));
    lines.insert(dice.index(lines.len() + 1), line);
    lines.concat()
}

fn new_line(text: &str, pool: &Pool, dice: &mut Dice) -> String {
    let lines = lines(text);
    let at = dice.index(lines.len() + 1);
    let key = dice.pick(&pool.keys);
    let value = match pool.by_key.get(key) {
        Some(values) if !dice.one_in(4) => dice.pick(values).clone(),
        _ => values::value(dice),
    };
    format!("{}{key} = {value}\n{}", lines[..at].concat(), lines[at..].concat())
}

/// A whole `[[fault]]` or `[network]` of another file.
fn new_section(text: &str, pool: &Pool, dice: &mut Dice) -> String {
    let lines = lines(text);
    let is_header = |index: &usize| lines[*index].starts_with('[');
    let headers: Vec<usize> = (0..lines.len()).filter(is_header).collect();
    let at = if headers.is_empty() { lines.len() } else { *dice.pick(&headers) };
    let section = dice.pick(&pool.sections);
    format!("{}{section}\n{}", lines[..at].concat(), lines[at..].concat())
}

fn spliced(text: &str, other: &str, dice: &mut Dice) -> String {
    let (ours, theirs) = (lines(text), lines(other));
    let head = dice.index(ours.len() + 1);
    let tail = dice.index(theirs.len() + 1);
    format!("{}{}", ours[..head].concat(), theirs[tail..].concat())
}

fn without_some(text: &str, dice: &mut Dice) -> String {
    let at = boundary(text, dice);
    let length = 1 + dice.index(8);
    let kept: String = text[at..].chars().skip(length).collect();
    format!("{}{kept}", &text[..at])
}

/// Some place between two characters.
fn boundary(text: &str, dice: &mut Dice) -> usize {
    let at = dice.index(text.len() + 1);
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
