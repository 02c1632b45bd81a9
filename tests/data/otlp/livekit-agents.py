"""A call of a voice agent, as LiveKit Agents tells it: what made `livekit-agents.pb`.

Two turns of a caller, the second of which interrupts the answer, and a goodbye that nobody asked for. The session, its
spans and their attributes are those of the package; only ears, mind and mouth are stand-ins, which take as long as they
say. Made with livekit-agents 1.8.9 and opentelemetry-sdk 1.45.2 of Python:

    pip install livekit-agents opentelemetry-exporter-otlp-proto-http
    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:PORT python livekit-agents.py

The two exports that came were put together, and all times moved by the same, so that the call begins at
2026-02-02T10:00:00Z.
"""

import asyncio
import time

from livekit import rtc
from livekit.agents import Agent, AgentSession, llm, stt, tts, telemetry
from livekit.agents.testing import fake_job_context
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from livekit.agents.voice import io
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

RATE = 16_000


class Ears(stt.STT):
    """Hears what it is told to."""

    def __init__(self):
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self.heard = asyncio.Queue()
    model = "ears-1"
    provider = "acme"

    async def _recognize_impl(self, buffer, *, language, conn_options):
        raise NotImplementedError

    def stream(self, *, language=None, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return Hearing(stt=self, conn_options=conn_options)


class Hearing(stt.RecognizeStream):
    async def _run(self):
        async def drain():
            async for _ in self._input_ch:
                pass
        drained = asyncio.create_task(drain())
        while True:
            text = await self._stt.heard.get()
            if text is None:
                break
            self._event_ch.send_nowait(stt.SpeechEvent(type=stt.SpeechEventType.START_OF_SPEECH))
            await asyncio.sleep(0.4)
            self._event_ch.send_nowait(stt.SpeechEvent(type=stt.SpeechEventType.END_OF_SPEECH))
            await asyncio.sleep(0.05)
            said = stt.SpeechData(language="en", text=text, confidence=0.9)
            self._event_ch.send_nowait(
                stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, request_id="r", alternatives=[said]))
        drained.cancel()


class Mind(llm.LLM):
    model = "gpt-5-mini"
    provider = "openai"

    def chat(self, *, chat_ctx, tools=None, conn_options=DEFAULT_API_CONNECT_OPTIONS, **_):
        return Thought(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class Thought(llm.LLMStream):
    async def _run(self):
        await asyncio.sleep(0.12)
        for word in ["Your order ", "is on ", "its way, ", "and comes tomorrow."]:
            self._event_ch.send_nowait(llm.ChatChunk(id="c", delta=llm.ChoiceDelta(role="assistant", content=word)))
            await asyncio.sleep(0.01)
        usage = llm.CompletionUsage(completion_tokens=9, prompt_tokens=60, prompt_cached_tokens=20, total_tokens=69)
        self._event_ch.send_nowait(llm.ChatChunk(id="c", usage=usage))


class Mouth(tts.TTS):
    model = "mouth-1"
    provider = "acme"

    def __init__(self):
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1)

    def synthesize(self, text, *, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return Speech(tts=self, input_text=text, conn_options=conn_options)


class Speech(tts.ChunkedStream):
    async def _run(self, output_emitter):
        output_emitter.initialize(request_id="r", sample_rate=RATE, num_channels=1, mime_type="audio/pcm")
        await asyncio.sleep(0.08)
        output_emitter.push(b"\0\0" * RATE)  # one second
        output_emitter.flush()


class Microphone(io.AudioInput):
    async def __anext__(self):
        await asyncio.sleep(0.05)
        return rtc.AudioFrame(b"\0\0" * (RATE // 20), RATE, 1, RATE // 20)


class Loudspeaker(io.AudioOutput):
    """Plays in real time."""

    def __init__(self):
        super().__init__(label="loudspeaker", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=RATE)
        self.seconds, self.started, self.playing = 0.0, None, None

    async def capture_frame(self, frame):
        await super().capture_frame(frame)
        if self.started is None:
            self.started = time.time()
            self.on_playback_started(created_at=self.started)
        self.seconds += frame.duration

    def flush(self):
        super().flush()
        if self.started is not None and self.playing is None:
            self.playing = asyncio.create_task(self._play())

    async def _play(self):
        await asyncio.sleep(max(0, self.started + self.seconds - time.time()))
        self._done(False)

    def _done(self, interrupted):
        position = min(self.seconds, time.time() - self.started)
        self.seconds, self.started, self.playing = 0.0, None, None
        self.on_playback_finished(playback_position=position, interrupted=interrupted)

    def clear_buffer(self):
        if self.started is not None:
            if self.playing:
                self.playing.cancel()
            self._done(True)


async def main():
    resource = {"service.name": "voice", "service.version": "2.1.0", "deployment.environment.name": "production"}
    provider = TracerProvider(resource=Resource.create(resource))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    telemetry.set_tracer_provider(provider, metadata={"profile_code": "support"})
    ears = Ears()
    with fake_job_context(job_id="AJ_capture") as job:
        job.job.room.sid = "RM_capture"
        session = AgentSession(stt=ears, llm=Mind(), tts=Mouth(), turn_handling={"turn_detection": "stt"})
        session.input.audio, session.output.audio = Microphone(label="microphone"), Loudspeaker()
        await session.start(agent=Agent(instructions="Help."))
        ears.heard.put_nowait("Where is my order?")
        await asyncio.sleep(3.5)
        ears.heard.put_nowait("Which order?")
        await asyncio.sleep(1.6)
        session.interrupt()
        await asyncio.sleep(1)
        await session.generate_reply(instructions="Say goodbye.")
        await session.aclose()
    provider.shutdown()

asyncio.run(main())
