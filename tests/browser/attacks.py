"""What a page of another owner than the mock could try against its control interface.

Each attack is a function in JavaScript with one argument, `{target, media}`: the origin of the mock as the page names
it, and the id of a media that is being processed. It returns everything that the page came to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Gain: TypeAlias = Literal["reads", "time", "media", "fault", "quota", "requests", "nothing"]


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to try it.

    Attributes:
        name: What it uses.
        path: Which request of it must reach the mock.
        gain: What it reads or changes on a server without defence, from a page that DNS rebinding gave the mock's
            name; nothing for what browsers stop everywhere.
        script: The function.
    """

    name: str
    path: str
    gain: Gain
    script: str


_FINISH = "/_mock/medias/{media}/finish"

# It does not wait: a response with status 204 leaves the frame as it is.
_FORM = """
const submit = (action, enctype, fields) => {
  const frame = document.createElement('iframe');
  frame.name = `result-${Math.random()}`;
  const form = document.createElement('form');
  Object.assign(form, {method: 'POST', action, enctype, target: frame.name});
  for (const [name, value] of fields) {
    const field = document.createElement('input');
    Object.assign(field, {type: 'hidden', name, value});
    form.append(field);
  }
  document.documentElement.append(frame, form);
  form.submit();
};
"""

_ELEMENT = """
const loaded = (name, attribute, url) => new Promise(done => {
  const element = document.createElement(name);
  for (const event of ['load', 'error']) element.addEventListener(event, () => {
    let text = '';
    try { text = element.contentDocument.documentElement.textContent; } catch {}
    done(text);
  });
  if (name === 'link') element.rel = 'stylesheet';
  element[attribute] = url;
  document.documentElement.append(element);
});
"""


def _fetch(path: str, options: str = "{}") -> str:
    return f"""async ({{target, media}}) => {{
      try {{ return await (await fetch(`${{target}}{path}`, {options})).text(); }} catch (error) {{ return ''; }}
    }}""".replace("{media}", "${media}")


def _form(path: str, enctype: str, fields: str) -> str:
    path = path.replace("{media}", "${media}")
    return f"""async ({{target, media}}) => {{ {_FORM}
      submit(`${{target}}{path}`, '{enctype}', {fields});
      return '';
    }}"""


def _embedded(name: str, attribute: str) -> str:
    return f"""async ({{target}}) => {{ {_ELEMENT}
      const text = await loaded('{name}', '{attribute}', `${{target}}/_mock/deliveries`);
      return text + Object.values(window).filter(value => typeof value === 'string').join();
    }}"""


def _json(method: str, body: str) -> str:
    return f"{{method: '{method}', headers: {{'Content-Type': 'application/json'}}, body: '{body}'}}"


ATTACKS = (
    Attack("fetch", "/_mock/deliveries", "reads", _fetch("/_mock/deliveries")),
    Attack("fetch of the request log", "/_mock/requests", "reads", _fetch("/_mock/requests")),
    Attack(
        "fetch with cookies", "/_mock/deliveries", "reads", _fetch("/_mock/deliveries", "{credentials: 'same-origin'}")
    ),
    Attack("fetch without CORS", "/_mock/deliveries", "reads", _fetch("/_mock/deliveries", "{mode: 'no-cors'}")),
    Attack("fetch POST", "/_mock/advance", "time", _fetch("/_mock/advance", _json("POST", '{"seconds": 60}'))),
    Attack(
        "fetch POST of text, without CORS",
        "/_mock/advance",
        "time",
        _fetch("/_mock/advance", """{method: 'POST', mode: 'no-cors', body: '{"seconds": 60}'}"""),
    ),
    Attack("fetch POST without a body", _FINISH, "media", _fetch(_FINISH, "{method: 'POST', mode: 'no-cors'}")),
    Attack("fetch PUT", "/_mock/quota", "quota", _fetch("/_mock/quota", _json("PUT", '{"medias": 0}'))),
    Attack("fetch DELETE", "/_mock/requests", "requests", _fetch("/_mock/requests", "{method: 'DELETE'}")),
    Attack(
        "XMLHttpRequest",
        "/_mock/deliveries",
        "reads",
        """({target}) => new Promise(done => {
          const request = new XMLHttpRequest();
          request.onloadend = () => done(request.responseText);
          request.open('GET', `${target}/_mock/deliveries`);
          request.send();
        })""",
    ),
    Attack(
        "beacon",
        "/_mock/advance",
        "time",
        """({target}) => { navigator.sendBeacon(`${target}/_mock/advance`, '{"seconds": 60}'); return ''; }""",
    ),
    Attack("form", _FINISH, "media", _form(_FINISH, "application/x-www-form-urlencoded", "[['a', 'b']]")),
    Attack("form of files", _FINISH, "media", _form(_FINISH, "multipart/form-data", "[['a', 'b']]")),
    Attack(
        "form with a field",
        "/_mock/advance",
        "nothing",
        _form("/_mock/advance", "application/x-www-form-urlencoded", "[['seconds', '60']]"),
    ),
    Attack(
        "form of text that is JSON",
        "/_mock/faults",
        "fault",
        _form("/_mock/faults", "text/plain", """[['{"kind": "status", "body": "', '"}']]"""),
    ),
    Attack("iframe", "/_mock/deliveries", "reads", _embedded("iframe", "src")),
    Attack("object", "/_mock/deliveries", "reads", _embedded("object", "data")),
    Attack("image", "/_mock/deliveries", "nothing", _embedded("img", "src")),
    Attack("script", "/_mock/deliveries", "nothing", _embedded("script", "src")),
    Attack("stylesheet", "/_mock/deliveries", "nothing", _embedded("link", "href")),
    Attack("fetch of the page", "/_mock/", "nothing", _fetch("/_mock/")),
    Attack(
        "EventSource",
        "/_mock/events",
        "nothing",
        """({target}) => new Promise(done => {
          const source = new EventSource(`${target}/_mock/events`);
          source.onmessage = event => done(event.data);
          source.onerror = () => { source.close(); done(''); };
        })""",
    ),
    Attack(
        "WebSocket",
        "/_mock/deliveries",
        "nothing",
        """({target}) => new Promise(done => {
          const socket = new WebSocket(`${target.replace('http', 'ws')}/_mock/deliveries`);
          socket.onmessage = event => done(event.data);
          socket.onclose = () => done('');
        })""",
    ),
    Attack(
        "window",
        "/_mock/deliveries",
        "reads",
        """({target}) => new Promise(done => {
          const other = window.open(`${target}/_mock/deliveries`);
          const look = () => {
            try {
              if (other.location.href === 'about:blank' || other.document.readyState !== 'complete') {
                return requestAnimationFrame(look);
              }
              done(other.document.documentElement.textContent);
            } catch { done(''); }
          };
          look();
        })""",
    ),
)
"""All of them. Those that gain nothing have nothing to read, or are stopped by every browser."""
