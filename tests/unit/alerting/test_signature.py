"""Signatures of messages."""

import pytest

from steadyhand.alerting.signature import is_genuine, sign

# The example of "Signature scheme" in github.com/standard-webhooks/standard-webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, STAMP_S, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_is_that_of_the_specification() -> None:
    assert sign(SECRET, ID, STAMP_S, BODY) == SIGNATURE


def test_one_of_several_signatures_suffices() -> None:
    assert is_genuine(SECRET, ID, STAMP_S, BODY, f"v1,AAAA {SIGNATURE}", STAMP_S + 10)


@pytest.mark.parametrize(
    ("id_", "stamp_s", "body", "secret", "now_s"),
    [
        ("msg_other", STAMP_S, BODY, SECRET, STAMP_S),
        (ID, STAMP_S + 1, BODY, SECRET, STAMP_S),
        (ID, STAMP_S, BODY + b" ", SECRET, STAMP_S),
        (ID, STAMP_S, BODY, "another", STAMP_S),
        (ID, STAMP_S, BODY, SECRET, STAMP_S + 301),
        (ID, STAMP_S, BODY, SECRET, STAMP_S - 301),
    ],
)
def test_what_was_changed_or_is_old_is_not_genuine(
    id_: str, stamp_s: int, body: bytes, secret: str, now_s: float
) -> None:
    assert not is_genuine(secret, id_, stamp_s, body, SIGNATURE, now_s)


def test_a_secret_may_be_any_text_but_no_broken_base64() -> None:
    assert sign("plain", ID, STAMP_S, BODY).startswith("v1,")
    with pytest.raises(ValueError, match="no base64"):
        sign("whsec_!", ID, STAMP_S, BODY)
