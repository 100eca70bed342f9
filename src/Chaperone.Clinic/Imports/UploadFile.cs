using Chaperone.Encryption;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>Takes in a file to be imported: sealed as it arrives, then examined as a whole. A file at fault leaves nothing behind.</summary>
/// <param name="FileName">As the browser says; kept sealed, never believed.</param>
/// <param name="Content">The file's bytes, read once.</param>
/// <param name="Kind">What it holds; null for what its columns say.</param>
/// <remarks>
/// One transaction from the first byte to the last, so that an upload that breaks off was never there; therefore few at once (<see cref="ImportLimits.Uploads"/>).
/// </remarks>
public sealed record UploadFile(string FileName, Stream Content, string? Kind = null) : IOperation<ImportState>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Changes("import.uploaded").Needs(Permission.PatientImport).About(Resource.Clinic);
}

internal sealed class UploadFileHandler(KeyRing keys, UploadPlaces places) : IHandler<UploadFile, ImportState>
{
    public async Task<Result<ImportState>> Handle(UploadFile request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Kind is not null && ImportKind.Find(request.Kind) is null) return ImportErrors.UnknownKind;
        if (ImportKind.Find(request.Kind)?.Refusal(scope) is { } notThis) return notThis;
        if (!places.TryEnter()) return ImportErrors.TooManyUploads;
        try
        {
            return await ReceiveAsync(request, scope, cancel);
        }
        catch (FileTooLargeException)
        {
            return ImportErrors.TooLarge;
        }
        catch (BadHttpRequestException refused)
        {
            return refused.StatusCode == StatusCodes.Status413PayloadTooLarge ? ImportErrors.TooLarge : PlatformErrors.Malformed with { Status = refused.StatusCode == 408 ? 408 : 400 };
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException)
        {
            return PlatformErrors.Malformed;   // the body is no proper multipart, or ended in the middle of the file
        }
        finally
        {
            places.Leave();
        }
    }

    private async Task<Result<ImportState>> ReceiveAsync(UploadFile request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.NewId();
        using var check = new ByteCheck();
        using var key = DataKey.Create(scope.NewId(), 1);
        var chunks = 0;
        var stretch = new List<UploadChunkRow>(ImportFile.Stretch);
        await foreach (var chunk in StreamSealing.SealChunks(new ReceivedFile(request.Content, check), key, new(scope.Tenant.Id, id), cancel))
        {
            stretch.Add(new() { TenantId = scope.Tenant.Id, JobId = id, N = chunks++, Sealed = chunk.Bytes });
            if (stretch.Count < ImportFile.Stretch && !chunk.Last) continue;
            await scope.Writer.Insert(stretch, cancel);
            stretch.Clear();
        }
        var (fault, encoding) = check.Finish();
        if (fault is not null) return fault;
        var examined = await CsvTable.ExamineAsync(ImportFile.Open(scope, id, key, cancel), encoding, check.Head.ToArray(), cancel);
        if (examined.Error is { } unreadable) return unreadable;

        var shape = examined.Value;
        var (kind, mapping) = await KindAsync(request.Kind, shape.Header, scope, cancel);
        if (kind.Refusal(scope) is { } refused) return refused;
        var wrapping = await keys.DataKeyAsync(scope.Tenant.Id, null, cancel);
        var job = new ImportJobRow
        {
            Id = id,
            Kind = kind.Code,
            CreatedBy = scope.Actor.Id ?? Guid.Empty,
            CreatedAt = scope.Now,
            Chunks = chunks,
            FileKeyId = key.Id,
            FileKey = KeyWrap.Wrap(key, KeyKind.Blob, scope.Tenant.Id, wrapping),
            RowsTotal = shape.Rows,
            Payload = new()
            {
                FileName = NameOf(request.FileName),
                Encoding = shape.Encoding,
                Delimiter = shape.Delimiter,
                Header = shape.Header,
                Mapping = mapping,
            },
        };
        scope.Add(job);
        scope.Concerns(ImportResource.Import.Type, id);
        scope.Note("rows", shape.Rows);
        scope.Note("bytes", check.Length);
        return ImportState.Of(job);
    }

    /// <summary>What the file holds and what its columns mean, as far as that is known: by its columns, by what was said of the same columns before, or else by what they are called.</summary>
    private static async Task<(ImportKind Kind, ColumnMapping? Mapping)> KindAsync(string? asked, IReadOnlyList<string> header, OperationScope scope, CancellationToken cancel)
    {
        var (kind, mapping) = ImportKind.Find(asked) is { } chosen ? (chosen, chosen.Known(header)) : ImportKind.Recognise(header);
        if (mapping is not null) return (kind, mapping);
        if (await RememberedMappings.FindAsync(scope, header, cancel) is { } remembered && (asked is null || remembered.KindCode == asked)) return (ImportKind.Of(remembered.KindCode), remembered);
        return (asked is null && kind.Refusal(scope) is not null ? ImportKind.Patients : kind, null);
    }

    private static string NameOf(string name)
    {
        var last = name.Split('/', '\\')[^1];
        var clean = string.Concat(last.Where(c => !char.IsControl(c) && !char.IsSurrogate(c))).Trim();
        return clean.Length == 0 ? "file" : clean.Length > 100 ? clean[..100] : clean;
    }
}

/// <summary>How many files this node receives at once.</summary>
internal sealed class UploadPlaces : IDisposable
{
    private readonly SemaphoreSlim places = new(ImportLimits.Uploads, ImportLimits.Uploads);

    public bool TryEnter() => places.Wait(0);

    public void Leave() => places.Release();

    public void Dispose() => places.Dispose();
}

/// <summary>What columns meant last time.</summary>
internal static class RememberedMappings
{
    public static async Task<ColumnMapping?> FindAsync(OperationScope scope, IReadOnlyList<string> header, CancellationToken cancel)
    {
        var token = await TokenAsync(scope, header, cancel);
        var row = await scope.OpenOne(scope.Db.Set<ImportMappingRow>().AsNoTracking().Where(row => row.HeaderToken == token), cancel);
        return row is not null && row.Payload.Fault(header) is null ? row.Payload : null;
    }

    public static async Task KeepAsync(OperationScope scope, IReadOnlyList<string> header, ColumnMapping mapping, CancellationToken cancel)
    {
        var token = await TokenAsync(scope, header, cancel);
        if (await scope.OpenOne(scope.Db.Set<ImportMappingRow>().Where(row => row.HeaderToken == token), cancel) is { } known) known.Payload = mapping;
        else scope.Add(new ImportMappingRow { Id = scope.NewId(), HeaderToken = token, Payload = mapping });
    }

    private static async Task<byte[]> TokenAsync(OperationScope scope, IReadOnlyList<string> header, CancellationToken cancel) =>
        (await scope.BlindIndex("import.header", cancel)).Exact(string.Join('\n', header));
}
