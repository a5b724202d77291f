"""Security events for applications that fetch them (RFC 8936), what this transmitter is (SSF 1.0), and the trial of a stream.

Owns: the requests of receivers. Must not know: what an event is about, nor how one is pushed; `protocol.deliveries` does that.
"""
