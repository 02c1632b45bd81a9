//! Unfolding: a text as it reads, whatever tricks it is written with.
//!
//! Compatibility forms (full-width letters, ligatures), digits of any script, characters that nobody sees,
//! percent-encoding, escapes of JSON within a text and numeric entities of HTML would each hide an address
//! from a pattern.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Rounds of decoding: what is encoded more often than this is left.
const ROUNDS: usize = 3;

/// The text as it reads; borrowed when it is the text itself.
pub fn unfolded(text: &str) -> Cow<'_, str> {
    let mut unfolded = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(plain(text)) };
    for _ in 0..ROUNDS {
        let decoded = match decoded(&unfolded) {
            Some(decoded) if decoded.is_ascii() => decoded,
            Some(decoded) => plain(&decoded),
            None => break,
        };
        unfolded = Cow::Owned(decoded);
    }
    unfolded
}

/// Compatibility forms and digits of all scripts as plain ones, without invisible characters.
fn plain(text: &str) -> String {
    text.nfkc().filter(|c| !is_invisible(*c)).map(plain_char).collect()
}

fn plain_char(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{3002}' | '\u{fe52}' | '\u{ff61}' | '\u{2024}' | '\u{00b7}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        c if c.is_whitespace() && !matches!(c, '\n' | '\r' | '\t') => ' ',
        c if c.is_ascii() => c,
        // Blocks of decimal digits begin at a multiple that differs by script.
        c if c.is_numeric() => decimal(c).map_or(c, |digit| char::from(b'0' + digit)),
        c => c,
    }
}

/// The value of a decimal digit of another script.
fn decimal(c: char) -> Option<u8> {
    const ZEROS: [char; 22] = [
        '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}',
        '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}', '\u{1810}',
        '\u{1946}', '\u{19d0}', '\u{a620}',
    ];
    ZEROS.iter().find_map(|zero| {
        let value = (c as u32).checked_sub(*zero as u32)?;
        (value < 10).then_some(value as u8)
    })
}

/// Characters that take no place, between those of an address.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || (is_combining_mark(c) && matches!(c, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}'))
}

/// One round of decoding; `None` when nothing is encoded.
fn decoded(text: &str) -> Option<String> {
    // Without an early end, so that many bytes are looked at at once.
    if !text.bytes().fold(false, |found, byte| found | matches!(byte, b'%' | b'\\' | b'&')) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let (mut rest, mut has_changed) = (text, false);
    while let Some(first) = rest.bytes().next() {
        let found = match first {
            b'%' => percent(rest),
            b'\\' => escape(rest),
            b'&' => entity(rest),
            _ => None,
        };
        if let Some((c, length)) = found {
            bytes.extend_from_slice(&c);
            rest = &rest[length..];
            has_changed = true;
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            bytes.extend_from_slice(&rest.as_bytes()[..length]);
            rest = &rest[length..];
        }
    }
    has_changed.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

type Decoded = (Vec<u8>, usize);

fn percent(text: &str) -> Option<Decoded> {
    let byte = u8::from_str_radix(text.get(1..3)?, 16).ok()?;
    Some((vec![byte], 3))
}

/// An escape of JSON, also one that was escaped again.
fn escape(text: &str) -> Option<Decoded> {
    let slashes = text.bytes().take_while(|byte| *byte == b'\\').count();
    let rest = &text[slashes..];
    let (number, length) = match rest.bytes().next()? {
        b'u' => (u32::from_str_radix(rest.get(1..5)?, 16).ok()?, 5),
        b'x' => (u32::from_str_radix(rest.get(1..3)?, 16).ok()?, 3),
        b'/' => (u32::from(b'/'), 1),
        _ => return None,
    };
    Some((char::from_u32(number)?.to_string().into_bytes(), slashes + length))
}

fn entity(text: &str) -> Option<Decoded> {
    for (name, c) in [("&commat;", "@"), ("&period;", "."), ("&amp;", "&"), ("&plus;", "+"), ("&colon;", ":")] {
        if text.starts_with(name) {
            return Some((c.into(), name.len()));
        }
    }
    let end = text.get(..12.min(text.len())).unwrap_or(text).find(';')?;
    let digits = text.get(2..end).filter(|_| text.starts_with("&#"))?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some((char::from_u32(number)?.to_string().into_bytes(), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_disguise_is_seen_through() {
        for disguised in [
            "jane@example.com",
            "jane\u{200b}@exa\u{ad}mple.com",
            "ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
            "jane%40example%2Ecom",
            "jane%2540example.com",
            "jane\\u0040example.com",
            "jane\\\\u0040example\\x2ecom",
            "jane&#64;example&#x2e;com",
            "jane&commat;example.com",
            "j\u{301}ane@example.com",
        ] {
            let seen = unfolded(disguised);
            assert!(seen.ends_with("ane@example.com"), "{disguised}: {seen}");
        }
        assert_eq!(unfolded("٠٦١٢٣"), "06123");
        assert_eq!(unfolded("０６‐１２"), "06-12");
    }

    #[test]
    fn a_plain_text_is_not_touched() {
        for plain in ["", "Where is my order?", "100% sure & done", "C:\\path", "50%"] {
            assert!(matches!(unfolded(plain), Cow::Borrowed(_)), "{plain}");
        }
        assert_eq!(unfolded("Bestellung für Zoë: 💶"), "Bestellung für Zoë: 💶");
    }
}
