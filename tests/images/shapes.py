r"""Dockerfiles by shape: what people write, as small as it can be, each built by every builder and compared.

They stand on ``scratch``, whose configuration every builder knows. The build context is ``CONTEXT`` for all of them.
"""

from __future__ import annotations

import io
import tarfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


def _archive() -> bytes:
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            entry = tarfile.TarInfo("inner/packed.txt")
            entry.size = 6
            archive.addfile(entry, io.BytesIO(b"packed"))
        return file.getvalue()


CONTEXT: Mapping[str, bytes] = {
    "app.py": b"app",
    "run.sh": b"#!/bin/sh\n",
    "a file.txt": b"a",
    "docs/guide.md": b"guide",
    "docs/README.md": b"readme",
    "docs/deep/notes.txt": b"notes",
    "docs/deep/notes.md": b"notes",
    "src/main.py": b"main",
    "src/test_main.py": b"test",
    "packed.tar.gz": _archive(),
}


@dataclass(frozen=True)
class Shape:
    """A Dockerfile's text; ``ignore`` is the .dockerignore. ``recent`` says what an engine must know of recent years.

    ``podman`` names the members of the configuration, or ``files``, in which podman differs from docker: these are
    compared with docker only; ``everything`` where podman refuses it. Its WORKDIR makes no folder before a file is in
    there.
    """

    text: str
    ignore: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    recent: str = ""
    podman: frozenset[str] = frozenset()

    @property
    def dockerfile(self) -> str:
        """The text without its indentation."""
        return textwrap.dedent(self.text).lstrip("\n")

    def write(self, folder: Path) -> None:
        """Make the build context in ``folder``."""
        for name, content in {**CONTEXT, ".dockerignore": self.ignore.encode()}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        (folder / "run.sh").chmod(0o755)
        (folder / "Dockerfile").write_text(self.dockerfile, encoding="utf-8", newline="")


SHAPES: dict[str, Shape] = {
    "nothing but a file": Shape("""
        FROM scratch
        COPY app.py /
        """),
    "ENV in pairs": Shape(r"""
        FROM scratch
        ENV A=1 B="two words" C='single $A' D=a\ b E= F="" \
            G="a \"quote\"" H='it"s' I=a=b J="x"
        """),
    "ENV in the old form": Shape("""
        FROM scratch
        ENV A   a value  with "quotes"   in it
        ENV B 'single'
        """),
    "ENV expanded": Shape(r"""
        FROM scratch
        ENV A=x EMPTY=
        ENV B=${A:-d} C=${NONE:-d} D=${A:+alt} E=\$A F=${A}y G="$A" H='$A' I="\$A" J=${EMPTY:-e} L=$NONE.
        ENV M=${A:-${NONE:-n}} N=${NONE:-"q r"} O=a$A$A P="${A}"'$A'
        """),
    "ENV uses what an earlier line set": Shape("""
        FROM scratch
        ENV A=1
        ENV A=2 B=$A
        ENV C=$B$A
        """),
    "ENV adds to PATH": Shape("""
        FROM scratch
        ENV PATH=/app/bin:$PATH
        ENV LAST=1 PATH="/opt/bin:${PATH}"
        """),
    "ENV with patterns": Shape(
        r"""
        FROM scratch
        ENV V=v1.2.3-rc1 EMPTY=
        ENV A=${V#v} B=${V%-*} C=${V%%.*} D=${V##*.} E=${V/1/one} F=${V//./_} G=${EMPTY-g} H=${NONE-h}
        """,
        recent="patterns in variables",
    ),
    "ENV in other scripts": Shape("""
        FROM scratch
        ENV GRUSS="Grüße aus Köln" KANJI=漢字
        LABEL city="Zürich"
        """),
    "ARG before FROM": Shape("""
        ARG BASE=scratch
        ARG VERSION=1.0
        FROM ${BASE}
        ENV UNSEEN=$VERSION
        ARG VERSION
        ENV SEEN=$VERSION
        """),
    "ARG given and by default": Shape(
        """
        FROM scratch
        ARG GIVEN=default
        ARG DEFAULT=default WITH="two words"
        ARG NOTHING
        ENV A=$GIVEN B=$DEFAULT C=$WITH D=$NOTHING E=${NOTHING:-none}
        LABEL given=$GIVEN
        """,
        arguments={"GIVEN": "from outside"},
    ),
    "ARG and ENV of one name": Shape(
        """
        FROM scratch
        ARG A=argument
        ENV B=$A
        ENV A=environment
        ENV C=$A
        ARG A=again
        ENV D=$A
        """,
        podman=frozenset({"Env"}),
        arguments={"A": "given"},
    ),
    "ARG of the platform": Shape(
        """
        FROM scratch
        ARG TARGETPLATFORM TARGETOS
        ARG TARGETARCH
        ENV A=$TARGETPLATFORM B=$TARGETOS C=$TARGETARCH
        """
    ),
    "stages and COPY --from": Shape(
        """
        FROM scratch AS Build
        WORKDIR /src
        COPY src ./
        COPY app.py main.txt
        ENV BUILD=1
        LABEL stage=build
        FROM scratch
        COPY docs/guide.md /docs/
        FROM scratch
        COPY --from=build /src/main.py /app/
        COPY --from=0 /src/main.txt /app/text
        COPY --from=1 /docs /docs
        CMD ["/app/main.py"]
        """,
        podman=frozenset({"everything"}),
    ),
    "a stage on a stage": Shape(
        """
        FROM scratch AS base
        ENV A=1
        LABEL team=sea layer=base
        EXPOSE 80
        WORKDIR /app
        USER 1000
        VOLUME /data
        ENTRYPOINT ["/entry"]
        CMD ["base"]
        STOPSIGNAL SIGINT
        FROM base AS mid
        ENV B=$A A=2
        FROM mid
        LABEL layer=top
        EXPOSE 81
        WORKDIR inner
        USER app
        VOLUME /more
        CMD ["top"]
        """,
        podman=frozenset({"files"}),
    ),
    "a target": Shape(
        """
        FROM scratch AS base
        ENV A=1
        FROM base AS web
        CMD ["web"]
        FROM base AS worker
        CMD ["worker"]
        """,
        target="web",
    ),
    "ENTRYPOINT and CMD in exec form": Shape("""
        FROM scratch
        ENTRYPOINT ["/bin/app", "--port", "80"]
        CMD ["serve", "a b", "$HOME"]
        """),
    "ENTRYPOINT in shell form, CMD in exec form": Shape("""
        FROM scratch
        ENTRYPOINT exec /bin/app --port $PORT
        CMD ["serve"]
        """),
    "ENTRYPOINT in exec form, CMD in shell form": Shape("""
        FROM scratch
        ENTRYPOINT ["/entry.sh"]
        CMD serve --root "$HOME" && echo 'done'
        """),
    "CMD alone, in shell form over lines": Shape(r"""
        FROM scratch
        CMD serve \
              --port 80 \
              # a comment in between
              --host 0.0.0.0
        """),
    "CMD twice": Shape("""
        FROM scratch
        CMD ["one"]
        CMD two
        """),
    "CMD before ENTRYPOINT": Shape("""
        FROM scratch
        CMD ["serve"]
        ENTRYPOINT ["/entry"]
        """),
    "ENTRYPOINT resets the CMD of the stage below": Shape(
        """
        FROM scratch AS base
        CMD ["serve"]
        FROM base
        ENTRYPOINT ["/entry"]
        """,
        podman=frozenset({"Cmd"}),
    ),
    "ENTRYPOINT and CMD emptied": Shape("""
        FROM scratch AS base
        ENTRYPOINT ["/entry"]
        CMD ["serve"]
        FROM base
        ENTRYPOINT []
        CMD []
        """),
    "an exec form that is none": Shape("""
        FROM scratch
        ENTRYPOINT ['/entry', 'x']
        CMD ["serve", ]
        """),
    "SHELL": Shape(
        """
        FROM scratch AS base
        SHELL ["/bin/bash", "-o", "pipefail", "-c"]
        ENTRYPOINT entry $A
        FROM base
        CMD serve | tee log
        """,
        podman=frozenset({"Cmd", "Entrypoint"}),
    ),
    "USER in its forms": Shape("""
        FROM scratch
        ARG NAME=app
        USER 1000:1000
        USER ${NAME}:web
        """),
    "WORKDIR relative": Shape(
        """
        FROM scratch
        ENV SUB=part
        WORKDIR app
        WORKDIR ./inner/
        WORKDIR ../$SUB/./x//y
        COPY app.py .
        COPY run.sh ../
        """,
        podman=frozenset({"files"}),
    ),
    "VOLUME in its forms": Shape("""
        FROM scratch
        ENV BASE=/srv
        VOLUME ["/json", "/with space"]
        VOLUME /one /two
        VOLUME ${BASE}/data
        VOLUME /one
        """),
    "STOPSIGNAL": Shape("""
        FROM scratch AS number
        STOPSIGNAL 9
        FROM number
        ARG SIGNAL=QUIT
        STOPSIGNAL SIG${SIGNAL}
        """),
    "EXPOSE in its forms": Shape(
        """
        FROM scratch
        ENV PORT=8501
        EXPOSE 80 443/tcp 53/udp
        EXPOSE $PORT ${PORT}/udp 9000-9002
        EXPOSE 80/TCP
        """,
        podman=frozenset({"ExposedPorts"}),
    ),
    "LABEL quoted": Shape(r"""
        FROM scratch
        LABEL org.example.a="two words" org.example.b=plain "quoted key"="v"
        LABEL multi="one \
        two" c='single "inner"' d=a\ b
        LABEL old form of a label
        LABEL e="$NONE" f='$NONE' g=
        LABEL org.example.b=again
        """),
    "HEALTHCHECK with options": Shape(r"""
        FROM scratch
        HEALTHCHECK --interval=1m30s --timeout=3s --start-period=500ms --retries=5 \
            CMD curl -f http://localhost/ || exit 1
        """),
    "HEALTHCHECK in exec form": Shape("""
        FROM scratch
        HEALTHCHECK CMD ["/probe", "--fast"]
        """),
    "HEALTHCHECK NONE": Shape("""
        FROM scratch AS base
        HEALTHCHECK --retries=2 CMD /probe
        FROM base
        HEALTHCHECK NONE
        """),
    "ONBUILD": Shape("""
        FROM scratch
        ONBUILD COPY . /app
        ONBUILD RUN ["/bin/make"]
        onbuild env A=1
        """),
    "COPY with heredocs": Shape(
        """
        FROM scratch
        ENV WHO=world
        COPY <<EOF /expanded
        hello $WHO
        EOF
        COPY --chmod=755 <<"EOF" <<two /scripts/
        #!/bin/sh
        echo $WHO
        EOF
        second
        two
        CMD ["/expanded"]
        """,
        recent="heredocs",
    ),
    "the escape directive": Shape(
        """
        # escape=`
        FROM scratch
        ENV A=C:\\dir `
            B=a` b
        CMD serve `
            --all
        """,
        podman=frozenset({"Env"}),
    ),
    "comments and empty lines": Shape(r"""
        # syntax is not given
        # a comment
        FROM scratch

        ENV A=1 \
            # a comment in between

            B=2 \
            C=#3
          # an indented comment
        LABEL x=1 \
        # one more
              y=2
        """),
    "lines of Windows": Shape(
        'FROM scratch\r\nENV A=1 \\\r\n    B=2\r\nWORKDIR /app\r\nCMD ["serve"]\r\n',
        podman=frozenset({"files"}),
    ),
    "a heredoc with the lines of Windows": Shape(
        'FROM scratch\r\nCOPY <<EOF /entry.sh\r\n#!/bin/sh\r\nexec serve\r\nEOF\r\nCMD ["/entry.sh"]\r\n',
        recent="heredocs",
    ),
    "keywords in small letters": Shape(
        """
        from scratch as base
        env a=1
        workdir /app
        FROM base
        cmd ["serve"]
        user 10
        Expose 80
        """,
        podman=frozenset({"files"}),
    ),
    "MAINTAINER": Shape("""
        FROM scratch
        MAINTAINER Somebody <somebody@example.com>
        CMD ["serve"]
        """),
    ".dockerignore with exceptions": Shape(
        """
        FROM scratch
        COPY . /app/
        """,
        ignore="# ours\n*\n!docs\n!src/**\ndocs/**/*.md\n!docs/README.md\nsrc/test_*\n",
    ),
    ".dockerignore in its forms": Shape(
        """
        FROM scratch
        WORKDIR /app
        COPY . .
        """,
        ignore="/docs/deep\n**/*.gz\n./src/main.py\na*\n!app.py\nrun.s[a-h]\nDockerfile\n.dockerignore\n",
    ),
    "COPY in its forms": Shape("""
        FROM scratch
        WORKDIR /app
        COPY ["a file.txt", "app.py", "/spaced dir/"]
        COPY docs/*.md guides/
        COPY src /app/new
        COPY app.py renamed.py
        COPY src/?ain.py docs/deep /flat/
        COPY ./docs/deep/../guide.md .
        COPY --chown=1000:2000 run.sh app.py /owned/
        """),
    "COPY --chmod": Shape(
        """
        FROM scratch
        COPY --chmod=640 app.py /a
        COPY --chmod=0755 --chown=7 docs /docs/
        """
    ),
    "ADD unpacks": Shape("""
        FROM scratch
        ADD packed.tar.gz /unpacked/
        ADD app.py run.sh /plain/
        COPY packed.tar.gz /packed/
        """),
    "variables in paths": Shape(
        """
        FROM scratch
        ARG FILE=app.py
        ENV TO=/srv/${FILE%} FOLDER=src
        COPY ${FILE} /srv/$FILE
        COPY $FOLDER/main.py ${FOLDER}/test_main.py /srv/${FOLDER:-none}/
        """.replace("${FILE%}", "x")
    ),
}
