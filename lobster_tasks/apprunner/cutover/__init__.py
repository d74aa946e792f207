"""Brings the app's own domains from App Runner to Fargate: a certificate, HTTPS, then DNS by weight.

Nothing is remembered anywhere but in the account: the certificate in ACM, the listeners, and the weights of the
records say how far it has come, so that every run takes up where the one before it stopped.
"""

from .delegation import public_dns
from .finish import finish, left_over
from .outcome import CutOver
from .routes import Balancer, Route, Wanted
from .run import HOLD_SECONDS, WAIT_SECONDS, cut_over, go_back, preview
from .situation import Names, Situation, balancer_name, led_here, look, names_of
from .steps import STAGES, Step, steps

__all__ = [
    "HOLD_SECONDS",
    "STAGES",
    "WAIT_SECONDS",
    "Balancer",
    "CutOver",
    "Names",
    "Route",
    "Situation",
    "Step",
    "Wanted",
    "balancer_name",
    "cut_over",
    "finish",
    "go_back",
    "led_here",
    "left_over",
    "look",
    "names_of",
    "preview",
    "public_dns",
    "steps",
]
