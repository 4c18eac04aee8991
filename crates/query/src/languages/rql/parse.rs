//! Text to query. What RQL does not have (joins, subqueries, HAVING, DISTINCT) is refused with its place, never left out.

use thiserror::Error;

use super::ast::{Expr, Operator, Order, Query, Selected, Table};

/// Characters of a query, levels of expressions, and parts of one.
const QUERY_CHARS_MAX: usize = 20_000;
const DEPTH_MAX: usize = 40;
const PARTS_MAX: usize = 500;

/// What is wrong, and where: a place in characters from 0.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} at position {position}")]
pub struct RqlError {
    pub message: String,
    pub position: usize,
}

const KEYWORDS: [&str; 24] = [
    "select", "from", "where", "group", "by", "order", "limit", "as", "asc", "desc", "and", "or", "not",
    "in", "between", "like", "is", "null", "div", "mod", "distinct", "having", "join", "union",
];

pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    /// In back-ticks.
    Name(String),
    Number(String),
    Text(String),
    Sign(&'static str),
    End,
}

/// Reads a query.
///
/// # Errors
/// [`RqlError`] says what is wrong, and where.
pub fn parse(text: &str) -> Result<Query, RqlError> {
    if text.chars().count() > QUERY_CHARS_MAX {
        return Err(RqlError {
            message: "a query has at most 20000 characters".into(),
            position: QUERY_CHARS_MAX,
        });
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, parts: 0 };
    let query = parser.query()?;
    match parser.peek() {
        Token::End => Ok(query),
        _ => Err(parser.fails("the query should end here")),
    }
}

const SIGNS: [&str; 16] =
    ["<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", ",", "*", "+", "-", "/", "%", ";"];

fn tokens(text: &str) -> Result<Vec<(Token, usize)>, RqlError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let start = at;
        let first = chars[at];
        let fails = |message: &str| Err(RqlError { message: message.to_owned(), position: start });
        let take = |at: &mut usize, fits: &dyn Fn(char) -> bool| {
            let from = *at;
            while *at < chars.len() && fits(chars[*at]) {
                *at += 1;
            }
            chars[from..*at].iter().collect::<String>()
        };
        if first.is_whitespace() {
            at += 1;
            continue;
        }
        let token = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                Token::Word(take(&mut at, &|one| one.is_ascii_alphanumeric() || "_.".contains(one)))
            }
            '0'..='9' => {
                let number = take(&mut at, &|one| one.is_ascii_digit() || one == '.');
                if number.parse::<f64>().is_err() || number.ends_with('.') {
                    return fails("that is no number");
                }
                Token::Number(number)
            }
            '\'' | '"' => {
                let mut own = String::new();
                at += 1;
                loop {
                    match chars.get(at) {
                        None => return fails("the text is not closed"),
                        Some('\\') if at + 1 < chars.len() => {
                            own.push(chars[at + 1]);
                            at += 2;
                        }
                        Some(one) if *one == first => {
                            // Doubled, it stands for itself.
                            if chars.get(at + 1) != Some(&first) {
                                break;
                            }
                            own.push(first);
                            at += 2;
                        }
                        Some(one) => {
                            own.push(*one);
                            at += 1;
                        }
                    }
                }
                at += 1;
                Token::Text(own)
            }
            '`' => {
                at += 1;
                let name = take(&mut at, &|one| one != '`');
                if at == chars.len() || name.is_empty() {
                    return fails("the name is not closed, or empty");
                }
                at += 1;
                Token::Name(name)
            }
            _ => {
                let rest: String = chars[at..chars.len().min(at + 2)].iter().collect();
                let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) else {
                    return fails("this sign is not known");
                };
                at += sign.len();
                Token::Sign(sign)
            }
        };
        tokens.push((token, start));
    }
    // A query may end as SQL does.
    if tokens.last().is_some_and(|(token, _)| *token == Token::Sign(";")) {
        tokens.pop();
    }
    tokens.push((Token::End, chars.len()));
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    parts: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)].0
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn fails(&self, message: &str) -> RqlError {
        RqlError { message: message.to_owned(), position: self.tokens[self.at.min(self.tokens.len() - 1)].1 }
    }

    /// Takes a keyword, where it is the next.
    fn word(&mut self, keyword: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        if is_it {
            self.next();
        }
        is_it
    }

    fn sign(&mut self, sign: &'static str) -> bool {
        let is_it = *self.peek() == Token::Sign(sign);
        if is_it {
            self.next();
        }
        is_it
    }

    fn expect_word(&mut self, keyword: &str) -> Result<(), RqlError> {
        if self.word(keyword) {
            Ok(())
        } else {
            Err(self.fails(&format!("{} is expected", keyword.to_uppercase())))
        }
    }

    fn expect_sign(&mut self, sign: &'static str) -> Result<(), RqlError> {
        if self.sign(sign) { Ok(()) } else { Err(self.fails(&format!("{sign} is expected"))) }
    }

    fn query(&mut self) -> Result<Query, RqlError> {
        self.expect_word("select")?;
        if self.word("distinct") {
            self.at -= 1;
            return Err(self.fails("there is no DISTINCT; use GROUP BY or count_distinct()"));
        }
        let mut select = Vec::new();
        if !self.sign("*") {
            loop {
                let expr = self.expr()?;
                let name = if self.word("as") { Some(self.name()?) } else { None };
                select.push(Selected { expr, name });
                if !self.sign(",") {
                    break;
                }
            }
        }
        self.expect_word("from")?;
        let table = match self.peek() {
            Token::Word(name) if name.eq_ignore_ascii_case("item_occurrence") => Table::ItemOccurrence,
            Token::Word(name) if name.eq_ignore_ascii_case("deploy") => Table::Deploy,
            _ => return Err(self.fails("the tables are item_occurrence and deploy")),
        };
        self.next();
        let filter = if self.word("where") { Some(self.expr()?) } else { None };
        let mut group = Vec::new();
        if self.word("group") {
            self.expect_word("by")?;
            if select.is_empty() {
                return Err(self.fails("* does not go with GROUP BY"));
            }
            loop {
                let place = self.at;
                let expr = self.expr()?;
                if !matches!(expr, Expr::Column(_) | Expr::Number(_)) {
                    self.at = place;
                    return Err(self.fails("a group is a column or the number of one"));
                }
                group.push(expr);
                if !self.sign(",") {
                    break;
                }
            }
        }
        let mut order = Vec::new();
        if self.word("order") {
            self.expect_word("by")?;
            loop {
                let expr = self.expr()?;
                let is_descending = !self.word("asc") && self.word("desc");
                order.push(Order { expr, is_descending });
                if !self.sign(",") {
                    break;
                }
            }
        }
        let mut limit = None;
        if self.word("limit") {
            let first = self.whole()?;
            limit = Some(if self.sign(",") { (first, self.whole()?) } else { (0, first) });
        }
        Ok(Query { select, table, filter, group, order, limit })
    }

    fn whole(&mut self) -> Result<u64, RqlError> {
        match self.peek() {
            Token::Number(text) if text.len() <= 9 && text.parse::<u64>().is_ok() => {
                let number = text.parse().unwrap_or_default();
                self.next();
                Ok(number)
            }
            _ => Err(self.fails("a whole number is expected")),
        }
    }

    fn name(&mut self) -> Result<String, RqlError> {
        match self.peek().clone() {
            Token::Word(word) if !is_keyword(&word) => {
                self.next();
                Ok(word)
            }
            Token::Name(name) | Token::Text(name) if !name.is_empty() && !name.contains('`') => {
                self.next();
                Ok(name)
            }
            _ => Err(self.fails("a name is expected")),
        }
    }

    fn expr(&mut self) -> Result<Expr, RqlError> {
        self.depth += 1;
        self.parts += 1;
        if self.depth > DEPTH_MAX || self.parts > PARTS_MAX {
            return Err(self.fails("the query is too deep or too long"));
        }
        let mut left = self.conjunction()?;
        while self.word("or") {
            left = binary(Operator::Or, left, self.conjunction()?);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expr, RqlError> {
        let mut left = self.negation()?;
        while self.word("and") {
            left = binary(Operator::And, left, self.negation()?);
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Expr, RqlError> {
        if !self.word("not") {
            return self.comparison();
        }
        self.deeper(|parser| Ok(Expr::Not(Box::new(parser.negation()?))))
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<Expr, RqlError>) -> Result<Expr, RqlError> {
        self.depth += 1;
        self.parts += 1;
        if self.depth > DEPTH_MAX || self.parts > PARTS_MAX {
            return Err(self.fails("the query is too deep or too long"));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn comparison(&mut self) -> Result<Expr, RqlError> {
        let left = self.sum()?;
        let operators = [
            ("=", Operator::Eq),
            ("!=", Operator::NotEq),
            ("<>", Operator::NotEq),
            ("<=", Operator::LessEq),
            (">=", Operator::GreaterEq),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        for (sign, operator) in operators {
            if self.sign(sign) {
                return Ok(binary(operator, left, self.sum()?));
            }
        }
        if self.word("is") {
            let is_not = self.word("not");
            self.expect_word("null")?;
            return Ok(Expr::IsNull { expr: Box::new(left), is_not });
        }
        let is_not = self.word("not");
        let expr = Box::new(left);
        if self.word("in") {
            self.expect_sign("(")?;
            let mut list = Vec::new();
            loop {
                list.push(self.sum()?);
                self.parts += 1;
                if !self.sign(",") {
                    break;
                }
            }
            self.expect_sign(")")?;
            return Ok(Expr::In { expr, list, is_not });
        }
        if self.word("between") {
            let low = Box::new(self.sum()?);
            self.expect_word("and")?;
            let high = Box::new(self.sum()?);
            return Ok(Expr::Between { expr, low, high, is_not });
        }
        if self.word("like") {
            let Token::Text(pattern) = self.peek().clone() else {
                return Err(self.fails("a text is expected"));
            };
            self.next();
            return Ok(Expr::Like { expr, pattern, is_not });
        }
        if is_not { Err(self.fails("IN, BETWEEN or LIKE is expected")) } else { Ok(*expr) }
    }

    fn sum(&mut self) -> Result<Expr, RqlError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Token::Sign("+") => Operator::Plus,
                Token::Sign("-") => Operator::Minus,
                _ => return Ok(left),
            };
            self.next();
            self.parts += 1;
            left = binary(operator, left, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Expr, RqlError> {
        let mut left = self.unary()?;
        loop {
            let operator = match self.peek() {
                Token::Sign("*") => Operator::Times,
                Token::Sign("/") => Operator::Divide,
                Token::Sign("%") => Operator::Modulo,
                Token::Word(word) if word.eq_ignore_ascii_case("div") => Operator::WholeDivide,
                Token::Word(word) if word.eq_ignore_ascii_case("mod") => Operator::Modulo,
                _ => return Ok(left),
            };
            self.next();
            self.parts += 1;
            left = binary(operator, left, self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expr, RqlError> {
        if self.sign("-") {
            return self.deeper(|parser| Ok(Expr::Minus(Box::new(parser.unary()?))));
        }
        match self.peek().clone() {
            Token::Number(text) => {
                self.next();
                Ok(Expr::Number(text))
            }
            Token::Text(text) => {
                self.next();
                Ok(Expr::Text(text))
            }
            Token::Name(name) => {
                self.next();
                Ok(Expr::Column(name))
            }
            Token::Sign("(") => {
                self.next();
                let expr = self.expr()?;
                self.expect_sign(")")?;
                Ok(expr)
            }
            Token::Word(word) if word.eq_ignore_ascii_case("null") => {
                self.next();
                Ok(Expr::Null)
            }
            Token::Word(word) if !is_keyword(&word) || self.is_call() => {
                self.next();
                if !self.sign("(") {
                    return Ok(Expr::Column(word));
                }
                let name = word.to_ascii_lowercase();
                if self.sign("*") {
                    self.expect_sign(")")?;
                    return Ok(Expr::Call { name, arguments: Vec::new(), is_star: true });
                }
                let mut arguments = Vec::new();
                if !self.sign(")") {
                    loop {
                        arguments.push(self.expr()?);
                        if !self.sign(",") {
                            break;
                        }
                    }
                    self.expect_sign(")")?;
                }
                Ok(Expr::Call { name, arguments, is_star: false })
            }
            _ => Err(self.fails("a column, a function or a value is expected")),
        }
    }

    /// `left(…)` and the like: a keyword that is called is none.
    fn is_call(&self) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|(token, _)| *token == Token::Sign("("))
            && !matches!(self.peek(), Token::Word(word) if ["in", "select", "and", "or", "not"].iter().any(|own| own.eq_ignore_ascii_case(word)))
    }
}

fn binary(operator: Operator, left: Expr, right: Expr) -> Expr {
    Expr::Binary { operator, left: Box::new(left), right: Box::new(right) }
}
