namespace Chaperone.Platform.Operations;

/// <summary>Why an operation was refused or could not be done: something expected, never a bug.</summary>
/// <param name="Code">Stable, such as <c>CHP-PATIENT-0003</c>; documented under that anchor in docs/errors.md.</param>
/// <param name="Title">One sentence for the person in front of the screen; never contains personal data.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Next">What the caller can do about it.</param>
public sealed record Error(string Code, string Title, int Status, string Next)
{
    /// <summary>What was wrong with single fields of the input: field name to sentence. Sentences never quote the input.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

    /// <summary>Facts a program can use, such as the id of a likely duplicate. Ids and numbers only.</summary>
    public IReadOnlyDictionary<string, object> Facts { get; init; } = new Dictionary<string, object>();

    /// <summary>People whose data the refusal itself shows (a likely duplicate): they go into the event of the failure.</summary>
    public IReadOnlyList<Guid> Shown { get; init; } = [];

    /// <summary>The same error about single fields.</summary>
    public Error With(string field, string sentence) =>
        this with { Fields = new Dictionary<string, string>(Fields) { [field] = sentence } };
}

/// <summary>A value or the error that stands in its place.</summary>
public readonly struct Result<T>
{
    private readonly T? value;

    private Result(T? value, Error? error) => (this.value, Error) = (value, error);

    /// <summary>The error, or null when there is a value.</summary>
    public Error? Error { get; }

    /// <summary>Whether there is a value.</summary>
    public bool Succeeded => Error is null;

    /// <summary>The value; asking a failed result for it is a bug.</summary>
    public T Value => Error is null ? value! : throw new InvalidOperationException("A failed result has no value: " + Error.Code);

    /// <summary>A result with a value.</summary>
    public static implicit operator Result<T>(T value) => new(value, null);

    /// <summary>A result with an error.</summary>
    public static implicit operator Result<T>(Error error) => new(default, error);

    /// <summary>The same, for where the compiler cannot convert (interfaces).</summary>
    public static Result<T> Of(T value) => new(value, null);
}

/// <summary>The value of operations that have nothing to say but that they were done.</summary>
public readonly record struct Done;
