# Tradefloor in a container: dependencies as locked, nobody's rights, no key inside. deploy/compose.yaml runs it.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /opt/tradefloor
COPY requirements/build.lock requirements/scale.lock requirements/
# Every file is checked against its hash. The locks hold all there is to install, so nothing else is looked for.
RUN python -m venv .venv \
  && .venv/bin/pip install --require-hashes --no-deps --only-binary :all: --requirement requirements/build.lock \
  && .venv/bin/pip install --require-hashes --no-deps --requirement requirements/scale.lock
COPY . .
RUN .venv/bin/pip install --no-deps --no-build-isolation --editable . \
  && .venv/bin/python -m compileall -q agents arena evals graphs memory prompts tools trading

FROM python:3.11-slim
RUN groupadd --gid 10001 tradefloor \
  && useradd --uid 10001 --gid 10001 --home-dir /var/lib/tradefloor --shell /usr/sbin/nologin tradefloor \
  && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/tradefloor
COPY --from=build /opt/tradefloor /opt/tradefloor
WORKDIR /opt/tradefloor
# The root may be mounted read-only: what is kept lies in the volume, what is not in /tmp.
ENV PATH=/opt/tradefloor/.venv/bin:$PATH \
  PYTHONDONTWRITEBYTECODE=1 \
  PYTHONUNBUFFERED=1 \
  TRADEFLOOR_HOME=/var/lib/tradefloor \
  HOME=/tmp
VOLUME /var/lib/tradefloor
USER 10001:10001
EXPOSE 7860
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=90s --retries=4 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT ["tradefloor"]
CMD ["serve", "--host", "0.0.0.0", "--allow-host", "localhost"]
