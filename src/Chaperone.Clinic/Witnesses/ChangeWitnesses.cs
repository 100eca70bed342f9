using System.Net;
using Chaperone.Ledger;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Witnesses;

/// <summary>Enters a witness of the clinic's own: it is asked from then on, each time the log has grown.</summary>
internal sealed record AddWitness(WitnessInput Wanted) : IOperation<Guid>
{
    public static Policy Policy { get; } = Policy.Changes("witness.added").Needs(Permission.SecurityManage).About(Resource.Clinic).WithStepUp();

    public override string ToString() => nameof(AddWitness);
}

/// <summary>Removes a witness of the clinic's own. What it cosigned stays.</summary>
internal sealed record RemoveWitness(Guid WitnessId) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("witness.removed").Needs(Permission.SecurityManage).About(WitnessResource.Witness).WithStepUp();

    Guid IAbout.ResourceId => WitnessId;
}

internal sealed class ChangeWitnessesHandler(WitnessSettings settings, ClinicLog log, WitnessBell bell) : IHandler<AddWitness, Guid>, IHandler<RemoveWitness, Done>
{
    private const int Most = 8;

    public async Task<Result<Guid>> Handle(AddWitness request, OperationScope scope, CancellationToken cancel)
    {
        await scope.TakeTurns([scope.Tenant.Id], cancel);   // two at once must not both be the last that fits
        var known = await WitnessResource.AllAsync(scope, settings, cancel);
        if (known.Count(witness => !witness.IsOperators) >= Most) return WitnessErrors.TooMany;
        var read = WitnessInputs.Read(request.Wanted, settings, known, (await log.SignedHeadAsync(cancel))?.Key);
        if (read.Error is { } invalid) return invalid;
        var row = new WitnessRow { Id = scope.NewId(), Required = request.Wanted.Required ?? false, Payload = read.Value };
        scope.Add(row);
        scope.Concerns(WitnessResource.Witness.Type, row.Id);
        bell.RingAfter(scope, changed: true);
        return row.Id;
    }

    public async Task<Result<Done>> Handle(RemoveWitness request, OperationScope scope, CancellationToken cancel)
    {
        if (await scope.OpenOne(scope.Db.Set<WitnessRow>().Where(row => row.Id == request.WitnessId), cancel) is not { } row) return PlatformErrors.NotFound;
        scope.Db.Remove(row);
        bell.RingAfter(scope, changed: true);
        return default(Done);
    }
}

/// <summary>What a witness must be.</summary>
internal static class WitnessInputs
{
    private const int LongestName = 80, LongestUrl = 300, LongestKey = 400;

    public static Result<WitnessDetails> Read(WitnessInput wanted, WitnessSettings settings, IReadOnlyList<LogWitness> known, string? logKey)
    {
        var error = WitnessErrors.Invalid;
        var (name, url, text) = (wanted.Name?.Trim() ?? "", wanted.Url?.Trim() ?? "", wanted.Key?.Trim() ?? "");
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl)) error = error.With("name", $"Enter a name of at most {LongestName} characters, such as Data protection officer.");
        if (AddressProblem(url, settings) is { } problem) error = error.With("url", problem);
        if (text.Length > LongestKey || !VerifierKey.TryParse(text, out var key) || key.Type != SignatureType.CosignatureV1)
            error = error.With("key", "Paste the key that the witness prints when it starts, after “vkey:”.");
        else if (VerifierKey.TryParse(logKey, out var own) && own.PublicKey.SequenceEqual(key.PublicKey)) error = error.With("key", "This is the log's own key. A witness has a key of its own.");
        else if (known.Any(other => other.Key.PublicKey.SequenceEqual(key.PublicKey))) error = error.With("key", "This witness is entered already.");
        return error.Fields.Count > 0 ? error : new WitnessDetails(name, url, text);
    }

    // What leads where is decided again at each connection; here people are told early what can never be.
    private static string? AddressProblem(string text, WitnessSettings settings)
    {
        const string Wanted = "Enter the address at which the witness answers, such as https://witness.example.org";
        if (text.Length is 0 or > LongestUrl || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http")) return Wanted + ".";
        if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0) return Wanted + ", without a name, question mark or # in it.";
        if (url.Scheme == "http" && settings.Networks.Count == 0) return "The address must begin with https://.";
        // A witness is asked to be there, not whatever else listens on a machine within reach.
        if (url.Port is not (80 or 443) and < 1024) return "The port must be 443, or one from 1024 on.";
        return IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) && !new OutsideNetworks(settings.Networks).MayConnect(address, url.Scheme == "https") ? $"{WitnessErrors.Forbidden.Title} {WitnessErrors.Forbidden.Next}" : null;
    }
}
