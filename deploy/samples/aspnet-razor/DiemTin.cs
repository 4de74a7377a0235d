using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Html;

/// <summary>
/// Fragments for Razor pages. Each is asked for at most once a minute, by one
/// visitor, for two seconds; else, and if that fails, there is the last good
/// copy, kept in a folder over restarts. ASP.NET Core 8 or newer, no package.
/// In Program.cs:
///   builder.Services.AddSingleton(new DiemTin(Path.Combine(builder.Environment.ContentRootPath, "App_Data")));
/// </summary>
public sealed class DiemTin
{
    private const int MaxBytes = 256 * 1024;
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);
    private readonly HttpClient client = new() { Timeout = TimeSpan.FromSeconds(2), MaxResponseContentBufferSize = MaxBytes };
    private readonly ConcurrentDictionary<string, DateTime> tried = new();
    private readonly string folder;

    public DiemTin(string folder)
    {
        Directory.CreateDirectory(this.folder = folder);
        client.DefaultRequestHeaders.UserAgent.ParseAdd("diemtin-sample/1");
    }

    /// <summary>The fragment at an address: a constant of the page, never what a visitor sent.</summary>
    public async Task<IHtmlContent> GetAsync(string address)
    {
        var file = Path.Combine(folder, "diemtin-" + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(address))).ToLowerInvariant() + ".html");
        var copy = File.Exists(file) ? await File.ReadAllTextAsync(file) : "";
        var (now, last) = (DateTime.UtcNow, tried.GetOrAdd(address, DateTime.MinValue));
        if (now - last < Fresh || !tried.TryUpdate(address, now, last)) // somebody else asks
        {
            return Html(copy);
        }
        try
        {
            var body = await client.GetStringAsync(address);
            if (!body.StartsWith("<div class=\"diemtin\"", StringComparison.Ordinal) || !body.TrimEnd().EndsWith("</div>", StringComparison.Ordinal))
            {
                return Html(copy);
            }
            var temp = file + "." + Guid.NewGuid().ToString("N");
            await File.WriteAllTextAsync(temp, body);
            File.Move(temp, file, overwrite: true);
            return Html(body);
        }
        catch (Exception x) when (x is HttpRequestException or TaskCanceledException or IOException or UnauthorizedAccessException)
        {
            return Html(copy);
        }
    }

    private static HtmlString Html(string s) => new(s.Length > 0 ? s : "<p>Tin đang được cập nhật.</p>");
}
