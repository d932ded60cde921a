"""HTML of posts as Discord's Markdown, construct by construct."""

from __future__ import annotations

import pytest

from bot.sources.markup import to_markdown

HIDDEN = "\u200b"


def cases(**pairs: tuple[str, str]):
    """Parametrise over pairs of HTML and Markdown, named after what they show."""
    return pytest.mark.parametrize(("html", "markdown"), pairs.values(), ids=pairs)


@cases(
    strong=("<p>a <strong>b</strong> <b>c</b></p>", "a **b** **c**"),
    em=("<p>a <em>b</em> <i>c</i></p>", "a *b* *c*"),
    underlined=("<u>a</u> <ins>b</ins>", "__a__ __b__"),
    struck=("<s>a</s> <strike>b</strike> <del>c</del>", "~~a~~ ~~b~~ ~~c~~"),
    nested=("<strong>a <em>b</em></strong>", "**a *b***"),
    nested_alike=("<b>a <strong>b</strong></b>", "**a b**"),
    outer_spaces=("a<b> b </b>c", "a **b** c"),
    empty=("a<b> </b>b<i></i>", "a b"),
    adjacent_alike=("<b>a</b><b>b</b>", "**ab**"),
    adjacent_unlike=("<i>a</i><b>b</b>", f"*a*{HIDDEN}**b**"),
    over_lines=("<b>a<br>b</b>", "**a**\n**b**"),
    unclosed=("<p>a <b>b</p><p>c</p>", "a **b**\n\nc"),
)
def test_emphasis(html: str, markdown: str):
    assert to_markdown(html) == markdown


@cases(
    inline=("Use <code>a_b * c</code>.", "Use `a_b * c`."),
    keys=("<kbd>Ctrl</kbd>+<kbd>C</kbd>", "`Ctrl`+`C`"),
    nested_keys=("<kbd><kbd>Ctrl</kbd>+<kbd>C</kbd></kbd>", "`Ctrl+C`"),
    backtick=("<code>a`b</code>", "``a`b``"),
    only_backtick=("<code>`</code>", "`` ` ``"),
    many_backticks=("<code>a```b</code>", f"``a`{HIDDEN}`{HIDDEN}`b``"),
    side_by_side=("<code>a</code><code>b</code>", "`ab`"),
    side_by_side_unlike=("<code>a</code><code>b`</code>", f"`a`{HIDDEN}``b` ``"),
    behind_a_backtick=("`<code>`a</code>`", f"\\`{HIDDEN}`` `a``\\`"),
    empty=("a<code> </code>b", "ab"),
    link=('<code><a href="https://e.org">f()</a></code>', "[`f()`](https://e.org)"),
    block=("<pre><code>a\n  b\n</code></pre>", "```\na\n  b\n```"),
    bare_block=("<pre>a\n\nb</pre>", "```\na\n\nb\n```"),
    language=(
        '<pre class="lang-py prettyprint-override"><code>x = 1\n</code></pre>',
        "```py\nx = 1\n```",
    ),
    language_of_code=('<pre><code class="hljs language-c++">x</code></pre>', "```cpp\nx\n```"),
    no_language=('<pre class="lang-none"><code>x</code></pre>', "```\nx\n```"),
    fence_in_block=("<pre><code>a\n```\nb</code></pre>", f"```\na\n`{HIDDEN}`{HIDDEN}`\nb\n```"),
    markup_in_block=("<pre>a<br><b>b</b> &lt;c&gt;</pre>", "```\na\nb <c>\n```"),
    empty_block=("a<pre> \n</pre>b", "a\n\nb"),
)
def test_code(html: str, markdown: str):
    assert to_markdown(html) == markdown


@cases(
    link=('<a href="https://e.org/x">a <b>b</b></a>', "[a **b**](https://e.org/x)"),
    parentheses=('<a href="https://e.org/a_(b) c">x</a>', "[x](https://e.org/a_%28b%29%20c)"),
    brackets=('<a href="https://e.org">see [1]</a>', r"[see \[1\]](https://e.org)"),
    own_text=('<a href="https://e.org/a_b_">https://e.org/a_b_</a>', "<https://e.org/a_b_>"),
    own_text_bare=('<a href="https://e.org/a_b">https://e.org/a_b</a>.', "https://e.org/a_b."),
    in_emphasis=('<i><a href="https://e.org">https://e.org</a></i>', "*<https://e.org>*"),
    shortened=('<a href="https://e.org/long">https://e.org/lo…</a>', "https://e.org/long"),
    in_text=("see https://e.org/a_b__c_ or *x*", r"see https://e.org/a_b__c_ or \*x\*"),
    relative=('<a href="/q/1">x</a>', "[x](https://q.example/q/1)"),
    schemeless=('<a href="//e.org/x">x</a>', "[x](https://e.org/x)"),
    script=('<a href="javascript:alert(1)">x</a>', "x"),
    data=('<a href="data:text/html,x">x</a>', "x"),
    mail=('<a href="mailto:a@e.org">a@e.org</a>', "a@e.org"),
    mail_behind_words=(
        'Write to <a href="mailto:a_b@e.org?subject=x">our <b>desk</b></a>.',
        "Write to our **desk** (a_b@e.org).",
    ),
    mail_in_words=('<a href="MAILTO:A%40e.org">Write to a@e.org</a>', "Write to a@e.org"),
    mail_in_bold=('<b><a href="mailto:a@e.org">us</a></b>', "**us (a@e.org)**"),
    mail_without_words=('<a href="mailto:a@e.org"><svg></svg></a>', "a@e.org"),
    mail_behind_an_image=('<a href="mailto:a@e.org"><img alt="us"></a>', "us (a@e.org)"),
    mail_of_nobody=('<a href="mailto:?subject=x">Share</a>', "Share"),
    mail_of_script=('<a href="mailto:%3Cb%3E@e.org">x</a>', "x"),
    telephone=('<a href="tel:+431234">Call</a>', "Call (+431234)"),
    telephone_in_words=('<a href="tel:+43-1-2345">(01) 23 45</a>', "(01) 23 45"),
    no_telephone=('<a href="tel:x">Call</a>', "Call"),
    anchor=('<a href="#part">x</a>', "x"),
    broken=('<a href="https://[x">x</a>', "[x](https://%5Bx)"),
    no_text=('a <a href="https://e.org"></a>b', "a b"),
    image=('<img src="https://e.org/i.png" alt="A cat">', "[A cat](https://e.org/i.png)"),
    nameless_image=(
        '<img src="https://e.org/i.png" alt="enter image description here">',
        "[image](https://e.org/i.png)",
    ),
    linked_image=(
        '<a href="https://e.org/big"><img src="https://e.org/i.png" alt="A cat"></a>',
        "[A cat](https://e.org/big)",
    ),
    video=(
        '<iframe src="https://www.youtube.com/embed/abcdefghijk?start=3"></iframe>',
        "[video](https://www.youtube.com/watch?v=abcdefghijk)",
    ),
)
def test_links(html: str, markdown: str):
    assert to_markdown(html, base_url="https://q.example/questions") == markdown


def test_relative_link_without_a_base_keeps_its_text():
    assert to_markdown('<a href="/q/1">x</a> <img src="/i.png" alt="a cat">') == "x a cat"


@cases(
    paragraphs=("<p>a\nb</p>\n\n<p>c</p>", "a b\n\nc"),
    line_break=("a<br>b<br/><br/>c", "a\nb\n\nc"),
    headings=("<h1>a</h1><p>b</p><h3>c</h3><p>d</p>", "# a\nb\n\n### c\nd"),
    comment_in_code=("<h2>a</h2><pre># b\n\nc</pre>", "## a\n```\n# b\n\nc\n```"),
    heading_in_quote=("<blockquote><h3>a</h3><p>b</p></blockquote>", "> ### a\n> b"),
    small_heading=("<h4>a</h4><p>b</p>", "**a**\n\nb"),
    rule=("<p>a</p><hr><p>b</p>", "a\n\n────────────\n\nb"),
    quote=("<blockquote><p>a</p><p>b</p></blockquote><p>c</p>", "> a\n> \n> b\n\nc"),
    quote_in_quote=("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n> \n> b"),
    list_in_quote=("<blockquote><ul><li>a<li>b</ul></blockquote>", "> - a\n> - b"),
    spoiler=('<blockquote class="spoiler"><p>a</p><p>b</p></blockquote>', "||a||\n\n||b||"),
    list_in_spoiler=('<blockquote class="spoiler"><ul><li>a</ul></blockquote>', "- ||a||"),
    bars_in_spoiler=(
        '<blockquote class="spoiler"><code>a||b</code></blockquote>',
        f"||`a|{HIDDEN}|b`||",
    ),
    lists=("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"),
    numbers=('<ol start="9"><li>a<li>b</ol>', "9. a\n10. b"),
    mixed=("<ol><li><p>a</p><ul><li>b</ul></ol>", "1. a\n   - b"),
    code_in_list=("<ul><li>a<pre>b\n c</pre></ul>", "- a\n  ```\n  b\n   c\n  ```"),
    definitions=("<dl><dt>a</dt><dd>b</dd><dd>c</dd></dl>", "**a**\n- b\n- c"),
    more_definitions=(
        "<dl><div><dt>a</dt><dd>b</dd></div><dt>c</dt><dd>d</dd></dl>",
        "**a**\n- b\n\n**c**\n- d",
    ),
    details=("<details><summary>a</summary>b</details>", "**a**\n\nb"),
    quotation=("He said <q>yes</q>.", "He said “yes”."),
)
def test_blocks(html: str, markdown: str):
    assert to_markdown(html) == markdown


@cases(
    raised=("x<sup>2</sup>, n<sup>th</sup>", "x², nᵗʰ"),
    lowered=("H<sub>2</sub>O", "H₂O"),
    raised_otherwise=("x<sup>a,b</sup>", "x^(a,b)"),
    lowered_otherwise=("x<sub>Q</sub>", r"x_(Q)"),
    raised_marks=("x<sup>*a*</sup>", r"x^(\*a\*)"),
    small_print=("<sup>Only on weekdays, they say.</sup>", "Only on weekdays, they say."),
    footnote=('a<sup><a href="https://e.org">1</a></sup>', "a[¹](https://e.org)"),
)
def test_raised_and_lowered(html: str, markdown: str):
    assert to_markdown(html) == markdown


def test_table_is_aligned_also_where_characters_are_wide():
    html = (
        "<table><thead><tr><th>Word<th>Meaning</thead>"
        "<tr><td>猫<td>cat<tr><td>neko<td>a <b>cat</b>, too</table>"
    )
    lines = ["Word │ Meaning", "─────┼" + 11 * "─", "猫   │ cat", "neko │ a cat, too"]
    assert to_markdown(html) == "\n".join(["```", *lines, "```"])


@cases(
    breaks=("9-12<br>13-17", "9-12 13-17"),
    paragraphs=("<p>Tue</p><p>Wed</p>", "Tue Wed"),
    items=("<ul><li>a </li>\n<li><b>b</b></li><li></li><li>c", "a, b, c"),
    items_in_text=("so: <ol><li>a<li>b</ol> or c", "so: a, b or c"),
    unlike_letters=("<b>a</b>b<i>c</i>", "abc"),
    unread=("a<script>x</script><br>b", "a b"),
)
def test_lines_in_a_cell_are_kept_apart(html: str, markdown: str):
    assert to_markdown(f"<table><tr><td>x<td>{html}</table>") == f"```\nx │ {markdown}\n```"


def test_wide_table_and_one_with_links_are_lists_of_rows():
    wide = "long words " * 6
    html = f"<table><tr><th>A<th>B<tr><td>{wide}<td>1<tr><td>b<td>{wide}</table>"
    assert to_markdown(html) == (
        f"- **A**: {wide.strip()} · **B**: 1\n- **A**: b · **B**: {wide.strip()}"
    )
    html = '<table><tr><td><a href="https://e.org">a</a><td>b</table>'
    assert to_markdown(html) == "- [a](https://e.org) · b"


@cases(
    inline=("the state $\\alpha_1*\\beta_2$ is", "the state `\\alpha_1*\\beta_2` is"),
    letter=("the $n$th of $N$-many", "the `n`th of `N`-many"),
    between_digits=("a 2$\\times$2 matrix", "a 2`\\times`2 matrix"),
    parentheses=("so \\(x_1\\) is", "so `x_1` is"),
    display=("so $$a_1 = b_2$$ holds", "so\n`a_1 = b_2`\nholds"),
    environment=(
        "\\begin{align}\na&=b\\\\\nc&=d\n\\end{align}",
        "`\\begin{align}`\n`a&=b\\\\`\n`c&=d`\n`\\end{align}`",
    ),
    escaped_dollars=(
        "with \\$R_1 = 5\\,\\mathrm{k}\\Omega\\$",
        "with `R_1 = 5\\,\\mathrm{k}\\Omega`",
    ),
    prices=("It costs $5 and $6.", "It costs $5 and $6."),
    price_range=("from $5-$10", "from $5-$10"),
    prices_behind=("5$ to 6$, or US$5 to US$6", "5$ to 6$, or US$5 to US$6"),
    shell=("echo $HOME and $PATH_NAME", "echo $HOME and $PATH_NAME"),
    prose=("$me, you and them$", "$me, you and them$"),
    macros=("$\\newcommand{\\ket}[1]{\\left|#1\\right>}$It is", "It is"),
    code=("<code>$x_1$</code>", "`$x_1$`"),
)
def test_formulas(html: str, markdown: str):
    assert to_markdown(f"<p>{html}</p>") == markdown


@cases(
    stars=("2*3*4 and 2 * 3 * 4", r"2\*3\*4 and 2 * 3 * 4"),
    lone_star=("a footnote*", "a footnote*"),
    snake=("my_long_name and _x_", r"my_long_name and \_x\_"),
    dunder=("__init__", r"\_\_init\_\_"),
    lone_underscore=("_x", "_x"),
    tildes=("~a and ~~b~~", r"~a and \~\~b\~\~"),
    bars=("a || b || c | d", r"a \|\| b \|\| c | d"),
    lone_bars=("a || b", "a || b"),
    backticks=("`a` and `b`", r"\`a\` and \`b\`"),
    backslash=(r"C:\Users\*", r"C:\Users\\*"),
    link=("[a](b)", r"[a\](b)"),
    brackets=("a[1] [b]", "a[1] [b]"),
    heading=("# a", r"\# a"),
    no_heading=("#a and C# b", "#a and C# b"),
    quote=("&gt; a", r"\> a"),
    bullet=("- a", r"\- a"),
    number=("1. a", r"1\. a"),
    decimal=("1.5 a", "1.5 a"),
    year_behind_a_break=("born in<br>1984. Then", "born in\n1984\\. Then"),
    emoji=("say :smile: at 10:30:45", r"say \:smile: at 10:30:45"),
    scope=("std::vector::size", "std::vector::size"),
    custom_emoji=("&lt;:a_b:123&gt;", r"\<:a_b:123>"),
    timestamp=("&lt;t:123&gt;", r"\<t:123>"),
    tags=("&lt;b&gt; &lt; 3", "<b> < 3"),
    entities=("&amp;lt; &eacute; &#8217; &#x1F600; &nbsp;x", "&lt; é ’ 😀 x"),
    windows=("&#150;", "–"),
)
def test_text_is_literal(html: str, markdown: str):
    assert to_markdown(f"<p>{html}</p>") == markdown


@cases(
    script=("a<script>alert(1)</script><style>p {}</style>b", "ab"),
    script_in_code=("<code>a<script>b</script></code>", "`a`"),
    handler=('<p onclick="x()">a</p>', "a"),
    comment=("a<!-- b -->c", "ac"),
    form=("<form><input value=a><button>b</button>c</form>", "c"),
    unknown=("<figure><x-y>a</x-y></figure>", "a"),
    nothing=("", ""),
    only_space=(" \n ", ""),
    only_comment=("<!-- a -->", ""),
    no_tags=("a & b < c", "a & b < c"),
    nul=("a\0b&#0;", "ab\ufffd"),
    turned=("a\u202eb&#8238;c", "ab c"),
    number_made_of_numbers=("a&&#35;8;b &&#x0000000023;8238;", "a&#8;b &#8238;"),
    number_made_by_leaving_out=("a&\u202e#8;b&\1#8;c&&#3;#8;", "a b c& #8;"),
    number_with_many_zeros=("a&#x000000202e;b&#000000000011;c", "a b c"),
    half=("a\ud800b", "a\ufffdb"),
    stray_end=("<p>a</b></div>b</p>", "ab"),
    cut_off=('<p>a <a href="https://e.org', "a"),
)
def test_rubbish(html: str, markdown: str):
    assert to_markdown(html) == markdown
