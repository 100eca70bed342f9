using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Chaperone.Ledger.Tests;

public class EventTests
{
    private static readonly Guid Id = new("01935a2b-7c4d-7e6f-8a90-123456789abc");

    private static LedgerEvent Full => new()
    {
        Id = Id, At = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.FromHours(2)).AddMicroseconds(123456), Action = "appointment.cancelled", Category = EventCategory.DataChange,
        Severity = EventSeverity.Warning, Outcome = EventOutcome.Denied, Actor = new(ActorKind.User, TestLog.Id(1), "doctor", TestLog.Id(2)), Entity = new("appointment", TestLog.Id(3)), Subjects = [TestLog.Id(4), TestLog.Id(5)],
        Source = new("web", "POST /appointments/{id}", "2001:db8::1", "Firefox \"140\"\r\n<é>"), Decision = "role:doctor/appointment.edit", Reason = "patient_request",
        Changes = [new("phone", Change: "changed"), new("status", Before: "booked", After: "cancelled")],
        Records = [new("appointment", TestLog.Id(3), 7, Hash256.Of("row"u8)), new("appointment", TestLog.Id(6), 2, null)],
        Hits = 12, Fields = ["name", "phone"], Details = new Dictionary<string, EventFact> { ["rows"] = 500, ["format"] = "csv" }, Typed = "00ff", Expired = [new(0, 5), new(9, 9)],
    };

    [Fact]
    public void An_event_is_one_line_in_the_order_of_the_format()
    {
        var line = Encoding.UTF8.GetString(EventJson.Write(Full));
        const string Expected = """
            {"id":"01935a2b-7c4d-7e6f-8a90-123456789abc","at":"2026-11-21T10:00:00.123456Z","action":"appointment.cancelled","category":"data_change","severity":"warning","outcome":"denied",
            "actor":{"kind":"user","id":"01930001-0000-7000-8000-000000000001","role":"doctor","session":"01930002-0000-7000-8000-000000000002"},"entity":{"type":"appointment","id":"01930003-0000-7000-8000-000000000003"},
            "subjects":["01930004-0000-7000-8000-000000000004","01930005-0000-7000-8000-000000000005"],
            "source":{"channel":"web","route":"POST /appointments/{id}","ip":"2001:db8::1","client":"Firefox \"140\"\r\n<é>"},"decision":"role:doctor/appointment.edit","reason":"patient_request",
            "changes":[{"field":"phone","change":"changed"},{"field":"status","before":"booked","after":"cancelled"}],
            "records":[{"type":"appointment","id":"01930003-0000-7000-8000-000000000003","version":7,"digest":"HASH"},{"type":"appointment","id":"01930006-0000-7000-8000-000000000006","version":2,"deleted":true}],
            "hits":12,"fields":["name","phone"],"details":{"rows":500,"format":"csv"},"typed":"00ff","expired":[[0,5],[9,9]]}
            """;
        Assert.Equal(Expected.Replace("\n", "").Replace("HASH", Hash256.Of("row"u8).ToString()), line);
        Assert.DoesNotContain('\n', line);
    }

    [Fact]
    public void What_is_absent_is_left_out() => Assert.Equal(
        """{"id":"01935a2b-7c4d-7e6f-8a90-123456789abc","at":"2026-11-21T10:00:00.000000Z","action":"job.ran","category":"system","severity":"info","outcome":"success","actor":{"kind":"system"},"source":{"channel":"job"},"decision":"system"}""",
        Encoding.UTF8.GetString(EventJson.Write(new() { Id = Id, At = TestLog.Start, Action = "job.ran", Category = EventCategory.System, Actor = new(ActorKind.System), Source = new("job"), Decision = "system" })));

    [Fact]
    public void Reading_gives_back_what_was_written()
    {
        var line = EventJson.Write(Full);
        var read = EventJson.Read(line);
        Assert.Equal(line, EventJson.Write(read));
        Assert.Equivalent(Full with { At = Full.At.ToUniversalTime() }, read);
        foreach (var category in Enum.GetValues<EventCategory>()) Assert.Equal(category, EventJson.Read(EventJson.Write(Full with { Category = category })).Category);
        foreach (var severity in Enum.GetValues<EventSeverity>()) Assert.Equal(severity, EventJson.Read(EventJson.Write(Full with { Severity = severity })).Severity);
        foreach (var outcome in Enum.GetValues<EventOutcome>()) Assert.Equal(outcome, EventJson.Read(EventJson.Write(Full with { Outcome = outcome })).Outcome);
        foreach (var kind in Enum.GetValues<ActorKind>()) Assert.Equal(kind, EventJson.Read(EventJson.Write(Full with { Actor = new(kind) })).Actor.Kind);
    }

    [Fact]
    public void Later_members_are_passed_over() =>
        Assert.Equal(Id, EventJson.Read(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(EventJson.Write(Full)).Replace("\"hits\":12", "\"later\":{\"x\":[1]},\"hits\":12"))).Id);

    [Fact]
    public void What_is_no_event_is_a_format_error_whatever_is_broken()
    {
        var line = EventJson.Write(Full);
        foreach (var wrong in new[] { "", "{}", "[]", "null", "1", "\"x\"" }) Assert.Throws<FormatException>(() => EventJson.Read(Encoding.UTF8.GetBytes(wrong)));
        var random = new Random(1);
        for (var round = 0; round < 20_000; round++)
        {
            var mutant = (byte[])line.Clone();
            for (var change = random.Next(1, 4); change > 0; change--) mutant[random.Next(mutant.Length)] = (byte)(random.Next(3) == 0 ? random.Next(256) : "{}[]\",:0n-e"[random.Next(11)]);
            try { _ = EventJson.Read(mutant.AsMemory(0, random.Next(4) == 0 ? random.Next(mutant.Length) : mutant.Length)); }
            catch (FormatException) { }
        }
    }

    [Theory, InlineData(""), InlineData("Mary Smith"), InlineData("a\nb"), InlineData("é")]
    public void Typed_text_is_no_fact(string text) => Assert.Throws<ArgumentException>(() => new EventFact(text));

    [Fact]
    public void The_entry_is_one_version_byte_and_a_salted_hash()
    {
        var salt = new byte[16];
        salt[0] = 9;
        var entry = Entry.Bytes(salt, "{}"u8);
        Assert.Equal([1, .. SHA256.HashData([.. "chaperone/event/v1\n"u8, .. salt, .. "{}"u8])], entry);
        Assert.Equal(33, entry.Length);
        Assert.Throws<ArgumentException>(() => Entry.Bytes(new byte[15], "{}"u8));
        var large = new byte[100_000];
        Assert.Equal([1, .. SHA256.HashData([.. "chaperone/event/v1\n"u8, .. salt, .. large])], Entry.Bytes(salt, large));
    }

    [Fact]
    public void A_record_digest_is_the_hash_of_the_documented_message()
    {
        static byte[] Number(int value) { var bytes = new byte[4]; BinaryPrimitives.WriteInt32BigEndian(bytes, value); return bytes; }
        static byte[] Long(long value) { var bytes = new byte[8]; BinaryPrimitives.WriteInt64BigEndian(bytes, value); return bytes; }
        static byte[] Text(string value) => [.. Number(Encoding.UTF8.GetByteCount(value)), .. Encoding.UTF8.GetBytes(value)];
        byte[] id = Convert.FromHexString("01935a2b7c4d7e6f8a90123456789abc");
        byte[] message =
        [
            .. "chaperone/record/v1\n"u8, .. Text("clinic.patient"), .. id, .. Long(7), .. Number(9),
            .. Text("at"), (byte)'t', .. Long(1_000_001), .. Text("born"), (byte)'d', .. Number(-1), .. Text("codes"), (byte)'S', .. Number(2), .. Text("a"), .. Text("é"),
            .. Text("count"), (byte)'i', .. Long(-3), .. Text("key"), (byte)'x', .. Number(2), 1, 2, .. Text("live"), (byte)'b', 1, .. Text("people"), (byte)'U', .. Number(1), .. id,
            .. Text("person"), (byte)'u', .. id, .. Text("status"), (byte)'s', .. Text("booked"), .. Number(3), 7, 8, 9,
        ];
        (string, object?)[] columns =
        [
            ("status", "booked"), ("at", DateTime.UnixEpoch.AddMicroseconds(1_000_001)), ("born", new DateOnly(1969, 12, 31)), ("gone", null), ("count", -3), ("live", true),
            ("key", new byte[] { 1, 2 }), ("person", Id), ("people", new[] { Id }), ("codes", new[] { "a", "é" }),
        ];
        Assert.Equal(new Hash256(SHA256.HashData(message)), RecordDigest.Compute("clinic.patient", Id, 7, columns, [7, 8, 9]));
    }

    [Fact]
    public void A_record_digest_does_not_depend_on_order_width_zone_or_null_columns_and_on_everything_else()
    {
        Hash256 Of(params (string, object?)[] columns) => RecordDigest.Compute("t", Id, 1, columns, [1]);
        Assert.Equal(Of(("a", 1), ("b", 2L)), Of(("b", (short)2), ("c", null), ("a", 1L)));
        Assert.Equal(Of(("a", TestLog.Start.UtcDateTime)), Of(("a", TestLog.Start.ToOffset(TimeSpan.FromHours(3)))));
        Hash256[] different =
        [
            Of(), Of(("a", 1)), Of(("a", 2)), Of(("b", 1)), Of(("a", "1")), Of(("a", true)), Of(("a", "ab"), ("b", "c")), Of(("a", "a"), ("b", "bc")), Of(("a", Array.Empty<string>())), Of(("a", Array.Empty<Guid>())),
            Of(("a", Array.Empty<byte>())), Of(("a", "")), RecordDigest.Compute("u", Id, 1, [], [1]), RecordDigest.Compute("t", Id, 2, [], [1]), RecordDigest.Compute("t", TestLog.Id(1), 1, [], [1]), RecordDigest.Compute("t", Id, 1, [], [2]),
        ];
        Assert.Equal(different.Length, different.Distinct().Count());
    }

    [Fact]
    public void Values_without_a_form_are_refused()
    {
        foreach (var value in new object[] { 1.5, 1m, DateTime.SpecifyKind(DateTime.UnixEpoch, DateTimeKind.Unspecified), DateTime.SpecifyKind(DateTime.UnixEpoch, DateTimeKind.Local), new[] { 1 }, 'x', TimeSpan.Zero, new string[] { null! } })
            Assert.Throws<ArgumentException>(() => RecordDigest.Compute("t", Id, 1, [("a", value)], []));
        Assert.Throws<ArgumentException>(() => RecordDigest.Compute("t", Id, 1, [("a", 1), ("a", 2)], []));
    }
}
